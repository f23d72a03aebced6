"""Random lessons, a bulk action over them, and what else happens to each before it is undone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import inspect

from lessonadmin.db import WEBHOOK, Actor, db, transaction
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.videos import locking, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests.factories import make_lesson, make_playing_lesson, make_tracking, make_user

LONG_AGO = datetime(2020, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
# What is compared of a lesson: all but the marks that every change leaves, and what the database makes of its title.
# and of what was told once the memory stays, so that it is not told again
LEFT_OUT = {"updated_at", "version", "search", "first_published_at"}


@dataclass(frozen=True)
class Start:
    """What a lesson is before the bulk action."""

    video: str
    published: bool
    wanted: bool


starts = st.builds(
    Start,
    video=st.sampled_from(["plays", "processing", "uploading", "none", "error"]),
    published=st.booleans(),
    wanted=st.booleans(),
)


def made(start: Start) -> Lesson:
    """Only what plays is ever published, and what is published waits for nothing."""
    if start.video == "plays":
        out = {"status": "published", "published_at": LONG_AGO, "publish_on_ready": False}
        draft = {"status": "draft", "published_at": None, "publish_on_ready": start.wanted}
        return make_playing_lesson(**(out if start.published else draft))
    lesson = make_lesson(publish_on_ready=start.wanted, video_processing_status=start.video)
    if start.video != "none":
        number = str(lesson.id)
        asset = {"mux_asset_id": f"a{number}"} if start.video != "uploading" else {}
        failed = {"error_type": "asset_errored"} if start.video == "error" else {}
        make_tracking(lesson, status=start.video, **asset, **failed)
    return lesson


def rows_of(lesson: Lesson) -> dict[str, Any]:
    """A lesson and its uploads, whole."""
    db.session.rollback()
    db.session.expire_all()
    found = locking.find_owner("lesson", lesson.id)
    assert found is not None
    with transaction(WEBHOOK):
        video = locking.lock_video("lesson", lesson.id)
        assert video is not None
        return {"lesson": _columns(video.owner), "uploads": [_columns(one) for one in video.uploads]}


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[Any]:
    """Column by column, so that a failure is read at once."""
    theirs, ours = found["lesson"], wanted["lesson"]
    columns = [(name, theirs[name], value) for name, value in ours.items() if theirs[name] != value]
    return columns + ([] if found["uploads"] == wanted["uploads"] else [found["uploads"], wanted["uploads"]])


def _columns(row: Any) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in inspect(type(row)).column_attrs
        if column.key not in LEFT_OUT
    }


def _as_tina(lesson: Lesson, change: Callable[[Lesson], object]) -> None:
    with transaction(Actor.user(make_user(role="support", name="Tina").id)):
        video = locking.lock_video("lesson", lesson.id)
        assert video is not None
        assert isinstance(video.owner, Lesson)
        change(video.owner)


def nothing(_lesson: Lesson) -> bool:
    return False


def retitled(lesson: Lesson) -> bool:
    """No change of the kind that an undo restores."""
    creator = make_user(role="support")
    with transaction(Actor.user(creator.id)):
        lessons.edit(creator, lesson.id, lessons.Changes(title="Another title"))
    return False


def turned(lesson: Lesson) -> bool:
    """A person publishes what may be published, or takes back what is out or wanted, and then the contrary."""

    def turn(one: Lesson) -> None:
        if one.status == "published" or one.publish_on_ready:
            publication.withdraw(one)
        elif one.is_playable:
            publication.publish(one)
        else:
            publication.request(one)

    _as_tina(lesson, turn)
    _as_tina(lesson, turn)
    return True


def withdrawn(lesson: Lesson) -> bool:
    changed = []
    _as_tina(lesson, lambda one: changed.append(publication.withdraw(one)))
    return changed[0]


Change = Callable[[Lesson], bool]
since = st.sampled_from([nothing, retitled, turned, withdrawn])


def became_ready(lesson: Lesson) -> None:
    """Mux has processed the file."""
    with transaction(WEBHOOK):
        video = locking.lock_video("lesson", lesson.id)
        assert video is not None
        assert video.on_its_way is not None
        transitions.apply(video, video.on_its_way, _ready(video))


def _ready(video: LockedVideo) -> Observation:
    return Observation(
        video_event=VideoEvent.ASSET_READY,
        asset_id=f"a{video.owner.id}",
        playback_id=f"p{video.owner.id}",
        policy="public",
    )
