"""The first page of the panel: is the pipeline healthy, before an instructor complains. It updates by itself."""

from flask import Blueprint, make_response, request, url_for
from flask_admin import Admin, AdminIndexView
from werkzeug.wrappers import Response

from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.health import alarms, dashboard
from lessonadmin.security import security_events

FRAGMENT = "operations"
REFRESH_MILLISECONDS = 3_000
SPAN_NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}


class Dashboard(AdminIndexView):  # type: ignore[misc]  # Flask-Admin ships no types
    def __init__(self) -> None:
        super().__init__(name="Operations", endpoint="admin", url="/admin", menu_icon_value="panel")

    def create_blueprint(self, admin: Admin) -> Blueprint:
        """Without Flask-Admin's own scripts and styles: the pages use none, and scripts that are there can be misused."""
        blueprint: Blueprint = super().create_blueprint(admin)
        blueprint.static_folder = None
        return blueprint

    @expose("/")
    def index(self) -> Response | str:
        span = request.args.get("span", "24h")
        known = span if span in dashboard.SPANS else "24h"
        values = {
            "seen": dashboard.overview(known),
            "kinds": alarms.BY_NAME,
            "refusals": security_events.KINDS,
            "spans": [
                (words, url_for("admin.index", span=name), None, name == known)
                for name, words in SPAN_NAMES.items()
            ],
            "next_ms": REFRESH_MILLISECONDS,
        }
        if request.headers.get("X-Fragment") != FRAGMENT:
            return str(self.render("admin/index.html", **values))
        answer = make_response(self.render("admin/operations.html", **values))
        answer.headers["X-Fragment"] = FRAGMENT
        return answer
