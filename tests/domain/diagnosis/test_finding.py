"""The buttons that several causes share: what they press depends on whose video it is and who was asked before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lessonadmin.db import Actor
from lessonadmin.domain.diagnosis import facts, finding
from lessonadmin.domain.uploads import upload_again
from tests.domain.diagnosis.support import fresh
from tests.factories import make_course, make_lesson, make_tracking, make_user

pytestmark = pytest.mark.usefixtures("session")


def case(owner: Any) -> facts.VideoFacts:
    return facts.read_facts(fresh(owner), None)


def test_only_a_lesson_is_published_anew() -> None:
    lesson, course = make_lesson(), make_course()
    assert finding.republish(case(lesson)).action == "republish"
    assert finding.republish(case(course)).action == "recheck"
    assert finding.check(case(course)).ids == (course.id,)
    assert finding.check(case(course)).target == "course"


def test_who_was_asked_is_asked_again_on_purpose() -> None:
    lesson = make_lesson(creator=make_user(name="Tina Vale"))
    make_tracking(lesson)
    first = finding.ask_again(case(lesson))
    assert (first.label, first.asked) == ("Ask the instructor to upload again", None)
    upload_again.ask(lesson, again=False, actor=Actor.user(make_user(role="support").id))
    second = finding.ask_again(case(lesson))
    assert second.label == "Ask again"
    assert second.asked is not None
    assert second.asked.name == "Tina Vale"
    assert second.asked.at <= datetime.now(UTC)
