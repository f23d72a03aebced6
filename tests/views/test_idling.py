"""Half an hour without a hand at the page ends a session of staff, also when an open page goes on asking."""

import uuid

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.factories import make_lesson, make_user, signed_in
from tests.pages import csrf_of

ASKS_BY_ITSELF = (
    ("/admin/?attempt=3", {"X-Fragment": "operations"}),
    ("/admin/reconcile/?attempt=0", {"X-Fragment": "reconcile"}),
)
CLICKS = (
    ("/admin/", {}),
    ("/admin/?attempt=3", {}),
    ("/lessons?attempt=3", {}),
    ("/notifications/bell", {"X-Fragment": "bell"}),
)


def age(session: Session, minutes: int) -> None:
    past = text("UPDATE user_sessions SET last_seen_at = now() - make_interval(mins => :minutes)")
    session.execute(past, {"minutes": minutes})
    session.commit()


def seen(session: Session) -> object:
    return session.scalar(text("SELECT last_seen_at FROM user_sessions"))


def get(browser: FlaskClient, session: Session, path: str, headers: dict[str, str]) -> bool:
    """Whether this request counted as activity of the user."""
    session.rollback()
    before = seen(session)
    session.rollback()
    assert browser.get(path, headers=headers).status_code in (200, 302)
    return seen(session) != before


def test_what_a_page_asks_by_itself_does_not_prolong_the_session(session: Session) -> None:
    browser = signed_in(make_user(role="support"))
    lesson = make_lesson()
    status = f"/api/mux/check-asset-status?lesson_id={lesson.id}&attempt=5"
    age(session, 29)
    for path, headers in (*ASKS_BY_ITSELF, (status, {})):
        assert not get(browser, session, path, headers), path
    age(session, 31)
    for path, headers in ASKS_BY_ITSELF:
        answer = browser.get(path, headers=headers)
        assert (answer.status_code, (answer.location or "")[:7]) == (302, "/login?"), path
    assert browser.get(status).status_code == 401


def tell_of_unsaved_changes(browser: FlaskClient, session: Session, lesson: object, **said: str) -> bool:
    """Whether this counted as activity of the user."""
    session.rollback()
    before = seen(session)
    session.rollback()
    form = {"page_id": str(uuid.uuid4()), "dirty": "1", **said}
    assert browser.post(f"/lessons/{lesson}/unsaved-changes", data=form).status_code == 200
    return seen(session) != before


def test_typing_prolongs_the_session_and_a_page_left_open_with_unsaved_changes_does_not(
    session: Session,
) -> None:
    browser = signed_in(make_user(role="support"))
    lesson = make_lesson().id
    token = csrf_of(browser, "/account")
    age(session, 29)
    assert not tell_of_unsaved_changes(browser, session, lesson, csrf_token=token, attempt="1")
    assert tell_of_unsaved_changes(browser, session, lesson, csrf_token=token)


def test_of_the_test_a_click_does(session: Session) -> None:
    browser = signed_in(make_user(role="support"))
    for path, headers in CLICKS:
        age(session, 29)
        assert get(browser, session, path, headers), path
