"""One search box for anything pasted: straight to the only thing that fits, or everything that does, in groups."""

from typing import Any

from flask import redirect, request, url_for

from lessonadmin import auth
from lessonadmin.admin.framework import cells
from lessonadmin.admin.framework.base import PanelPage
from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.lookup import Hit

GROUPS = (
    ("lesson", "Lessons"),
    ("course", "Courses"),
    ("user", "People"),
    ("tracking", "Uploads"),
    ("event", "Events of Mux"),
    ("deletion", "Deletions"),
    ("batch", "Bulk actions"),
)


class SearchPage(PanelPage):
    slug, icon = "search", "search"

    def is_visible(self) -> bool:
        return False  # it has its box on every page of the panel

    @expose("/")
    def index(self) -> Any:
        found = lookup.find(request.args.get("q", ""))
        if found.single is not None and (address := where(found.single)):
            return redirect(address)
        groups = [(label, found.of(kind)) for kind, label in GROUPS if found.of(kind)]
        return self.render(
            "admin/search.html", text=found.text, groups=groups, where=where, most=lookup.MAX_OF_A_KIND
        )


def where(hit: Hit) -> str | None:
    """Where a hit leads. A person's account is for admins; others see what is theirs."""
    if hit.kind == "user" and not auth.allows("admin_user"):
        if hit.why == "student":
            return url_for("admin_purchase.index_view", flt0_buyer_is=str(hit.id))
        return url_for("admin_lesson.index_view", flt0_owner_is=str(hit.id))
    return cells.link_to(hit.kind, hit.id)
