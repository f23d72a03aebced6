"""The state of a video, as an open page asks for it: how often, at which cost, and what is said of the time that it takes."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, update
from werkzeug.test import TestResponse

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.captions import asking
from lessonadmin.domain.models import Lesson, Tracking, User
from tests.domain.captions.support import captioned
from tests.factories import in_context, make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("app")
HEADERS = {"X-Fragment": "video"}
MAX_STATEMENTS = 7


def processing(instructor: User) -> Lesson:
    lesson = make_lesson(creator=instructor, video_processing_status="processing")
    make_tracking(lesson, status="processing", mux_asset_id="a")
    return lesson


def change(**columns: object) -> None:
    with in_context(), db.session.begin():
        db.session.execute(update(Tracking).values(**columns))


def ask(browser: FlaskClient, lesson: Lesson, *, attempt: object = 0, has: str = "") -> TestResponse:
    headers = {**HEADERS, **({"If-None-Match": has} if has else {})}
    return browser.get(f"/lessons/{lesson.id}/video?attempt={attempt}", headers=headers)


def test_a_page_asks_quickly_and_in_the_end_says_that_it_goes_on_without_it(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = processing(instructor)
    assert 'data-next="1500"' in ask(browser, lesson, attempt=59).text
    last = ask(browser, lesson, attempt=60).text
    assert 'data-next=""' in last
    assert "It goes on in the background" in last
    assert 'data-next="1500"' in ask(browser, lesson, attempt="nonsense").text


def test_what_is_unchanged_costs_a_few_statements_no_body_and_no_call_to_mux(
    browser: FlaskClient, instructor: User, mux_sim: MuxSim
) -> None:
    lesson = processing(instructor)
    has = ask(browser, lesson).headers["ETag"]
    before = mux_sim.calls()
    with counted() as sent:
        again = ask(browser, lesson, attempt=7, has=has)
    assert (again.status_code, again.data) == (304, b"")
    assert len(sent) <= MAX_STATEMENTS, sent
    assert mux_sim.calls() == before
    change(progress=40)
    assert ask(browser, lesson, attempt=8, has=has).status_code == 200


@pytest.mark.parametrize(
    ("sent", "words"),
    [(10, "Upload complete."), (21, "Everything is sent, but Mux has not confirmed it yet.")],
)
def test_a_file_that_mux_does_not_confirm_is_said_to_be_unconfirmed(
    browser: FlaskClient, instructor: User, sent: int, words: str
) -> None:
    lesson = make_lesson(creator=instructor, video_processing_status="uploading")
    make_tracking(lesson, status="uploading", bytes_in_at=func.now() - timedelta(seconds=sent))
    assert words in ask(browser, lesson).text


@pytest.mark.parametrize("progress", [None, 0])
def test_progress_that_is_not_known_has_no_figure(
    browser: FlaskClient, instructor: User, progress: int | None
) -> None:
    lesson = processing(instructor)
    change(progress=progress)
    html = ask(browser, lesson).text
    bar = html.partition('id="processing"')[2].partition("</div>")[0]
    assert "Mux is processing" in bar
    assert "%" not in bar
    assert "value=" not in bar
    assert "Processing 0 %" not in html


def test_a_page_asks_again_while_mux_fetches_own_captions_beside_others_that_are_ready(
    browser: FlaskClient, instructor: User
) -> None:
    with in_context():
        lesson = captioned("ready", language="de", creator=instructor)
    before = ask(browser, lesson)
    assert 'data-next=""' in before.text
    with in_context(), transaction(Actor.user(instructor.id)):
        asking.add_own(lesson, language="de", label="", data=b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n")
    assert 'data-next="5000"' in ask(browser, lesson).text
