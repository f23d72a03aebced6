"""What the frame around every page shows: where one may go, who is signed in, how many notices wait.

The frame also stands around error pages, so nothing in here may need the database to answer.
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
class Place:
    """One entry of the navigation; it shows only if its room exists and its guard lets the person in."""

    endpoint: str
    label: str
    icon: str

    @property
    def room(self) -> str:
        return self.endpoint.partition(".")[0]

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def current(self) -> bool:
        here = request.blueprint or ""
        return here == self.room or (self.room == "admin" and here.startswith("admin_"))

    @property
    def open(self) -> bool:
        return self.endpoint in current_app.view_functions and auth.allows(self.room)


PLACES = (
    Place("admin.index", "Support panel", "panel"),
    Place("lessons.index", "Lessons", "lesson"),
    Place("courses.index", "Courses", "course"),
    Place("catalog.index", "Catalogue", "catalog"),
)


def places() -> list[Place]:
    return [place for place in PLACES if place.open]


def unread_notices() -> int:
    """How many notices wait, asked once a request; a page is not refused for want of this figure."""
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
    return {"me": auth.identity(), "places": places, "unread_notices": unread_notices}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
