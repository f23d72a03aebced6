"""Earlier edits over HTTP: the page, and taking one back, in lessons and courses."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.views import edit_history
from tests.factories import make_course, make_lesson, make_user, signed_in
from tests.pages import csrf_of

pytestmark = pytest.mark.usefixtures("session")
Owner = Lesson | Course


def edited(owner: Owner, title: str) -> User:
    """Its instructor, who has given it this title."""
    user = db.session.get_one(User, owner.creator_id if isinstance(owner, Lesson) else owner.instructor_id)
    change = lessons.edit if isinstance(owner, Lesson) else courses.edit
    with transaction(Actor.user(user.id)):
        change(user, owner.id, Changes(title=title))
    return user


@pytest.fixture(params=["lesson", "course"])
def owner(request: pytest.FixtureRequest) -> Owner:
    return make_lesson(title="Rye") if request.param == "lesson" else make_course(title="Rye")


def field(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


def press(browser: FlaskClient, owner: Owner, page: str) -> str:
    """What the page says after “Take back”."""
    form = {name: field(page, name) for name in ("edit_id", "version")} | {
        "csrf_token": csrf_of(browser, "/account")
    }
    address = f"/{owner.kind}s/{owner.id}/edits/take-back"
    return browser.post(address, data=form, follow_redirects=True).get_data(as_text=True)


def test_an_edit_is_shown_and_taken_back(app: Flask, owner: Owner) -> None:
    browser = signed_in(edited(owner, "Rye <b>bread</b>"))
    page = browser.get(f"/{owner.kind}s/{owner.id}/edits").get_data(as_text=True)
    assert "Rye &lt;b&gt;bread&lt;/b&gt;" in page
    assert f'href="/{owner.kind}s/{owner.id}/edits"' in browser.get(
        f"/{owner.kind}s/{owner.id}/edit"
    ).get_data(as_text=True)
    after = press(browser, owner, page)
    assert "The edit is taken back." in after
    assert "Taken back" in after
    db.session.refresh(owner)
    assert owner.title == "Rye"


def test_what_was_saved_meanwhile_stays(app: Flask, owner: Owner) -> None:
    browser = signed_in(edited(owner, "Rye bread"))
    page = browser.get(f"/{owner.kind}s/{owner.id}/edits").get_data(as_text=True)
    edited(owner, "Dark rye")
    assert edit_history.OVERTAKEN in press(browser, owner, page)
    db.session.refresh(owner)
    assert owner.title == "Dark rye"


def test_nothing_was_edited(app: Flask, owner: Owner) -> None:
    browser = signed_in(make_user(role="support"))
    page = browser.get(f"/{owner.kind}s/{owner.id}/edits").get_data(as_text=True)
    assert f"Nothing was changed since the {owner.kind} was created." in page


def test_a_request_that_names_no_edit_is_refused(app: Flask, owner: Owner) -> None:
    browser = signed_in(edited(owner, "Rye bread"))
    for form in ({}, {"edit_id": "x", "version": "1"}, {"edit_id": str(owner.id)}):
        given = form | {"csrf_token": csrf_of(browser, "/account")}
        assert browser.post(f"/{owner.kind}s/{owner.id}/edits/take-back", data=given).status_code == 400
