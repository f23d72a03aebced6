"""What an open page gets in return for a press: an answer at the place where the press was."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, update

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, Throttle, Tracking, User
from tests.factories import in_context, keep, make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.pages import post

pytestmark = pytest.mark.usefixtures("app")


class Answer(HTMLParser):
    """The text of the part of a page where an answer is."""

    def __init__(self, html: str, place: str) -> None:
        super().__init__()
        self._place = place
        self._depth = 0
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and (self._depth or ("data-answer", self._place) in attrs):
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())


def press(browser: FlaskClient, lesson: Lesson, action: str, place: str = "video") -> str:
    """What the answer at this place says."""
    return Answer(post(browser, f"/lessons/{lesson.id}/{action}", fragment="video").text, place).text


def shown(browser: FlaskClient, lesson: Lesson) -> str:
    """What any page of it says where an answer would be, also one that was opened just now."""
    return Answer(browser.get(f"/lessons/{lesson.id}/edit").text, "video").text


def change(**columns: object) -> None:
    with in_context(), db.session.begin():
        db.session.execute(update(Tracking).values(**columns))


def stuck(instructor: User, mux_sim: MuxSim) -> Lesson:
    """Its upload exists at Mux and has got no file for two hours."""
    lesson = make_lesson(creator=instructor)
    with in_context():
        mux_sim.upload(lesson)
    change(created_at=func.now() - timedelta(hours=2))
    return lesson


def test_checking_a_stuck_video_says_when_what_mux_said_and_what_comes_next_in_every_tab(
    browser: FlaskClient, instructor: User, mux_sim: MuxSim
) -> None:
    lesson = stuck(instructor, mux_sim)
    assert shown(browser, lesson) == ""
    said = press(browser, lesson, "publish")
    assert said.startswith("Checked with Mux at ")
    assert "it is still waiting for the file" in said
    assert "it can go on in the browser where it began" in said
    assert shown(browser, lesson) == said


def test_the_answer_is_gone_when_mux_was_heard_of_since(
    browser: FlaskClient, instructor: User, mux_sim: MuxSim
) -> None:
    lesson = stuck(instructor, mux_sim)
    press(browser, lesson, "ask")
    change(status="processing", asset_seen_at=func.clock_timestamp())
    assert shown(browser, lesson) == ""


def test_a_mux_that_does_not_answer_is_said_and_stays_said(
    browser: FlaskClient, instructor: User, mux_sim: MuxSim
) -> None:
    lesson = stuck(instructor, mux_sim)
    mux_sim.control.fault("api", "status", match={"operation": "get_upload"}, status=500)
    said = press(browser, lesson, "ask")
    assert "Mux does not answer right now" in said
    assert "it did not answer" in shown(browser, lesson)


def test_a_check_that_is_refused_says_why_beside_the_button(
    browser: FlaskClient, instructor: User, mux_sim: MuxSim
) -> None:
    lesson = stuck(instructor, mux_sim)
    keep(Throttle(key=f"asks:{instructor.id}", count=1000, started_at=func.now()))
    assert "Please try again in" in press(browser, lesson, "ask")


def test_each_action_answers_where_it_was_pressed(browser: FlaskClient, instructor: User) -> None:
    lesson = make_lesson(creator=instructor, status="draft", video_processing_status="ready",
                         mux_asset_id="asset", mux_playback_id="playback", playback_policy="public")  # fmt: skip
    make_tracking(lesson, status="ready", mux_asset_id="asset", mux_playback_id="playback")
    assert "published successfully" in press(browser, lesson, "publish", "publication")
    assert "The lesson is a draft now" in press(browser, lesson, "unpublish", "publication")
    make_tracking(lesson, status="processing", mux_asset_id="new")
    assert "The new video is cancelled" in press(browser, lesson, "cancel")
    assert "cannot be brought back" in press(browser, lesson, "undo")
    assert "The video is removed." in press(browser, lesson, "remove")
    assert "Please upload one first" in press(browser, lesson, "publish")
