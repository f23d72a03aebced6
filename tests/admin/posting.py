"""What the tests of the panel's actions share: a post as the lists send it, what is said afterwards, some drafts."""

import re
from typing import Any

from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson
from tests.factories import make_playing_lesson, make_user
from tests.pages import csrf_of, page_of

BATCH_PAGE = re.compile(r"^/admin/batch/details/\?id=([0-9a-f-]{36})$")


def act(browser: FlaskClient, slug: str, action: str, *ids: object, **more: str) -> Any:
    """The post exactly as Flask-Admin's own lists send it."""
    data: dict[str, Any] = {"action": action, "csrf_token": csrf_of(browser, "/account"), **more}
    if ids:
        data["rowid"] = [str(one) for one in ids]
    return browser.post(f"/admin/{slug}/action/", data=data)


def said(browser: FlaskClient) -> str:
    return page_of(browser.get("/account")).text()


def fresh(row: Any) -> Any:
    db.session.rollback()
    return db.session.get(type(row), row.id, populate_existing=True)


def ready_drafts(count: int, **columns: object) -> list[Lesson]:
    instructor = make_user()
    return [
        make_playing_lesson(
            creator=instructor, status="draft", published_at=None, title=f"Draft {n}", **columns
        )
        for n in range(count)
    ]
