"""One search box for anything pasted: straight to the only thing that fits, or everything that does, in groups."""

from typing import Any

from flask import redirect, request, url_for

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
    ("waiting", "Events of Mux, not applied yet"),
    ("error", "Errors"),
    ("deletion", "Deletions"),
    ("batch", "Bulk actions"),
    ("purchase", "Purchases"),
    ("trash", "In the trash"),
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
            "admin/search.html",
            text=found.text,
            groups=groups,
            where=where,
            about_person=about_person,
            most=lookup.MAX_OF_A_KIND,
        )


def where(hit: Hit) -> str | None:
    """Where a hit leads. Nothing else is known of an error or a waiting event."""
    if hit.kind == "trash":
        return url_for("admin_trash.index")
    return cells.link_to(hit.kind, hit.id)


def about_person(hit: Hit) -> list[tuple[str, str]]:
    """What there may be of a person."""
    return [
        ("Lessons", url_for("admin_lesson.index_view", flt0_owner_is=str(hit.id))),
        ("Purchases", url_for("admin_purchase.index_view", flt0_buyer_is=str(hit.id))),
    ]
