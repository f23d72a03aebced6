"""What the frame around every page shows: the navigation, who is signed in, how many notices are unread.

The frame also surrounds error pages, so nothing in here may need the database to answer.
"""

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import auth
from lessonadmin.db import db
from lessonadmin.domain.notifications import notices

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the navigation; it shows only if its blueprint is there and the guard admits the user."""

    endpoint: str
    label: str
    icon: str
    only_for: str = ""  # this role
    one_page: bool = False  # current on this page alone, and no entry of the same blueprint is then

    @property
    def blueprint(self) -> str:
        return self.endpoint.partition(".")[0]

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def current(self) -> bool:
        if self.one_page or request.endpoint in PAGES_WITH_AN_ENTRY:
            return request.endpoint == self.endpoint
        here = request.blueprint or ""
        return here == self.blueprint or (self.blueprint == "admin" and here.startswith("admin_"))

    @property
    def allowed(self) -> bool:
        if self.only_for and getattr(auth.identity(), "role", "") != self.only_for:
            return False
        return self.endpoint in current_app.view_functions and auth.allows(self.blueprint)


NAVIGATION = (
    NavigationEntry("admin.index", "Support panel", "panel"),
    NavigationEntry("lessons.index", "Lessons", "lesson"),
    NavigationEntry("courses.index", "Courses", "course"),
    NavigationEntry("figures.index", "Figures", "chart"),
    NavigationEntry("catalog.index", "Catalogue", "catalog"),
    NavigationEntry("catalog.mine", "My lessons", "receipt", only_for="student", one_page=True),
)
PAGES_WITH_AN_ENTRY = frozenset(entry.endpoint for entry in NAVIGATION if entry.one_page)


def allowed_entries() -> list[NavigationEntry]:
    return [entry for entry in NAVIGATION if entry.allowed]


def unread_notices() -> int:
    """How many notices are unread, counted once a request; a page is shown without the figure if it cannot be counted."""
    found = auth.identity()
    if found is None:
        return 0
    if "unread_notices" not in g:
        g.unread_notices = _count_unread(found.user_id)
    return int(g.unread_notices)


def _count_unread(user_id: uuid.UUID) -> int:
    try:
        return notices.unread_count(user_id)
    except SQLAlchemyError as error:
        log.warning("no count of unread notices: %s", type(error).__name__)
        db.session.rollback()
        return 0


def _context() -> dict[str, Any]:
    return {"me": auth.identity(), "navigation": allowed_entries, "unread_notices": unread_notices}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
