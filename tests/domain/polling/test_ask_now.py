"""A person asks Mux now: about every upload that matters, so many times a minute, and what cannot be asked is said."""

import pytest

from lessonadmin.db import JOB, Actor
from lessonadmin.domain.errors import TooMany, Unavailable
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.polling import ask_now
from tests.factories import make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.settings import overridden


def ask(lesson: Lesson) -> str | None:
    return ask_now.ask_now(lesson, actor=Actor.user(lesson.creator_id))


def asked(mux_sim: MuxSim) -> list[str]:
    return [call["operation"] for call in mux_sim.calls() if call["method"] == "GET"]


def test_without_a_video_there_is_nothing_to_ask_and_nothing_to_say(mux_sim: MuxSim) -> None:
    assert ask(make_lesson()) is None
    assert mux_sim.calls() == []


def test_a_temporary_id_is_said_and_not_asked(mux_sim: MuxSim) -> None:
    lesson = make_lesson(mux_asset_id="temp_17", video_processing_status="processing")
    assert "temporary video id" in (ask(lesson) or "")
    assert mux_sim.calls() == []
    assert mux_sim.lesson(lesson).video_processing_status == "processing"


def test_the_answer_is_applied_by_the_token_of_people(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert ask(lesson) is None
    assert mux_sim.lesson(lesson).status == "published"
    assert asked(mux_sim) == ["get_upload", "get_asset"]
    assert {call["token_id"] for call in mux_sim.calls("get_asset")} == {"web-token"}


def test_a_new_video_and_the_one_that_plays_are_both_asked_about(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    assert ask(lesson) is None
    assert sorted(asked(mux_sim)) == ["get_asset", "get_upload"]


def test_a_lesson_from_before_tracking_is_asked_about(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1)
    lesson = make_lesson(mux_asset_id=asset_id, video_processing_status="processing")
    assert ask(lesson) is None
    assert mux_sim.lesson(lesson).video_processing_status == "ready"
    assert len(mux_sim.uploads(lesson)) == 1


def test_a_video_that_is_gone_is_taken_off(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(str(mux_sim.lesson(lesson).mux_asset_id))
    assert ask(lesson) is None
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"


def test_an_upload_id_that_is_none_of_muxs_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson(video_processing_status="uploading")
    make_tracking(lesson, upload_id="no id of Mux")
    assert ask(lesson) == "Mux does not know the id of this video. Nothing was changed."
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"


@pytest.mark.parametrize(
    ("status", "said"), [(503, "Mux does not answer"), (401, "Checking with Mux is unavailable right now.")]
)
def test_a_mux_that_gives_no_answer_is_unavailable(mux_sim: MuxSim, status: int, said: str) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    mux_sim.control.fault("api", "status", status=status)
    with pytest.raises(Unavailable, match=said):
        ask(lesson)
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"


def test_so_many_times_a_minute_and_person(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    with overridden(asks_per_minute=2):
        for _ in range(2):
            ask(lesson)
        with pytest.raises(TooMany):
            ask(lesson)
        ask(other)
        assert ask_now.ask_now(lesson, actor=JOB) is None, "what nobody pressed is not counted"
