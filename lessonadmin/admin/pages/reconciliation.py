"""Where Lessonadmin and Mux disagree: the last reconciliation, its differences, and a button for each kind. Workers do the work."""

import uuid
from collections.abc import Callable

from flask import request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage, act_and_return
from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.reconciliation import difference_report, fix_preview
from lessonadmin.text.ids import as_id
from lessonadmin.web import address_numbers, fragments

FRAGMENT = "reconcile"
BUSY_MILLISECONDS, IDLE_MILLISECONDS = 2_000, 30_000
# A worker may not have begun what was just requested; so many of a page's questions (`attempt`) cover a quarter of a minute.
YOUNG_ATTEMPTS = 3


def _young() -> bool:
    return address_numbers.attempts() < YOUNG_ATTEMPTS


class ReconcilePage(PanelPage):
    slug, icon = "reconcile", "compare"

    @expose("/")
    def index(self) -> Response | str:
        kind = request.args.get("kind")
        report = difference_report.show(kind=kind, page=address_numbers.page(difference_report.LAST_PAGE))
        values = {
            "report": report,
            "effects": fix_preview.effects(report.run.id) if report.run is not None else {},
            "unfinished": difference_report.unfinished(report),
            "confirmation": difference_report.CONFIRMATION,
            "deleting": difference_report.DELETING_KINDS,
            "next_ms": BUSY_MILLISECONDS if report.busy or _young() else IDLE_MILLISECONDS,
            "page_url": lambda page: url_for(".index", kind=report.kind, page=page),
        }
        if not fragments.wanted():
            return str(self.render("admin/reconcile.html", **values))
        return fragments.answer(self.render("admin/reconcile_state.html", **values), name=FRAGMENT)

    @expose("/walk", methods=("POST",))
    def walk(self) -> Response:
        return _asked(
            difference_report.request_run, "The sync check was started; this page shows its progress."
        )

    @expose("/mend", methods=("POST",))
    def mend(self) -> Response:
        given = request.form
        return _asked(
            lambda user_id: difference_report.request_fix(
                given.get("kind", ""),
                run_id=as_id(given.get("run")),
                user_id=user_id,
                reason=given.get("reason", ""),
                typed=given.get("typed", ""),
            ),
            "A worker checks each of them again and fixes it; this page shows the progress.",
        )


def _asked(ask: Callable[[uuid.UUID], None], said: str) -> Response:
    """Ask for it as the signed-in user, and back to the page."""
    user_id = auth.current_user().id
    return act_and_return(lambda: ask(user_id), said, back_to=url_for("admin_reconcile.index"))
