"""The preview says beforehand what the run does."""

import itertools
import uuid
from collections import Counter
from contextlib import suppress

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, new_id, transaction
from lessonadmin.domain.batches import batches, preview, registry
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from tests.domain.batches.actions.support import staff
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
    make_user,
)
from tests.queries import counted

EVERY_LESSON = [
    {
        "status": status,
        "publish_on_ready": intent,
        "video_processing_status": video,
        "mux_asset_id": asset,
        "mux_playback_id": playback,
    }
    for status, intent, video, asset, playback in itertools.product(
        ("draft", "published"),
        (True, False),
        VIDEO_STATUSES,
        (None, "temp_1", "asset"),
        (None, "play", "temp_playback_1"),
    )
]


def every_lesson(tracked: str | None) -> list[uuid.UUID]:
    """Every combination of a lesson's columns, sensible or not, with this kind of upload beside it."""
    creator = make_user()
    lessons, uploads = [], []
    for number, columns in enumerate(EVERY_LESSON):
        asset = columns["mux_asset_id"]
        own = columns | {"mux_asset_id": f"{asset}{number}" if asset else None}
        lesson = Lesson(id=new_id(), creator_id=creator.id, title=f"Lesson {number}", **own)
        lessons.append(lesson)
        if tracked is not None:
            real = f"tracked{number}" if tracked in ("ready", "deleting") else None
            ids = {"upload_id": f"upload{number}", "mux_asset_id": real, "mux_playback_id": real and "p"}
            uploads.append(
                Tracking(owner_id=creator.id, lesson_id=lesson.id, filename="a.mp4", status=tracked, **ids)
            )
    # a row at a time they would cost more than everything that is tested here
    db.session.add_all([*lessons, *uploads])
    db.session.flush()
    return [lesson.id for lesson in lessons]


class Undone(Exception):
    """Takes back what a transaction has done, so that the next action meets the same rows."""


@pytest.mark.parametrize("tracked", [None, "uploading", "ready", "error", "deleting", "cancelled"])
def test_the_preview_says_what_the_run_does(session: Session, tracked: str | None) -> None:
    with transaction(CLI):
        made = every_lesson(tracked)
    for name in ("publish", "unpublish", "clear_asset"):
        action = registry.find("lesson", name)
        before = preview.preview(action, made)
        said = []
        with suppress(Undone), transaction(staff()):
            said = [action.inside(lesson_id, {}).code for lesson_id in made]  # type: ignore[misc]  # these have one
            raise Undone
        foretold = {group.code: group.count for group in before.groups}
        assert foretold == Counter(said), name
        assert before.asked == len(made) == before.changes + before.skipped, name
    what_is_useful_for_each_row_is_what_the_preview_says_of_it(made)


def what_is_useful_for_each_row_is_what_the_preview_says_of_it(made: list[uuid.UUID]) -> None:
    useful = preview.useful_of_many("lesson", made)
    assert set(useful) == set(made)
    for action in registry.of("lesson"):
        changes = sum(action.name in names for names in useful.values())
        assert changes == preview.preview(action, made).changes, action.name
    assert tuple(action.name for action in preview.useful("lesson", made[0])) == useful[made[0]]


@pytest.mark.parametrize("target", ["lesson", "course"])
@pytest.mark.parametrize("name", ["clear_asset", "recheck"])
def test_each_verdict_is_valid_sql_for_many_rows(session: Session, target: str, name: str) -> None:
    rows = [make_lesson() for _ in range(3)] if target == "lesson" else [make_course() for _ in range(3)]
    gone = uuid.uuid4()
    found = preview.preview(registry.find(target, name), [*(row.id for row in rows), gone])
    assert (found.asked, found.changes, found.skipped) == (4, 0, 4)
    by_code = {group.code: group for group in found.groups}
    assert by_code["missing"].count == 1
    assert {example.name for group in found.groups for example in group.examples} <= {r.title for r in rows}


def test_a_choice_by_filter_is_counted_like_a_choice_by_hand(session: Session) -> None:
    creator = make_user()
    ready = [make_playing_lesson(creator=creator, status="draft", published_at=None) for _ in range(3)]
    make_lesson(creator=creator)
    make_lesson()
    source = select(Lesson.id).where(Lesson.creator_id == creator.id).order_by(Lesson.title)
    found = preview.preview(registry.find("lesson", "publish"), source)
    assert (found.asked, found.changes, found.skipped) == (4, 3, 1)
    assert {one.id for one in found.will_do[0].examples} <= {lesson.id for lesson in ready}
    assert found.will_skip[0].code == "no_video"


def test_a_filter_that_matches_nothing(session: Session) -> None:
    nothing = select(Lesson.id).where(Lesson.title == "no such lesson")
    found = preview.preview(registry.find("lesson", "publish"), nothing)
    assert (found.asked, found.changes, found.groups) == (0, 0, ())
    with transaction(staff()):
        batch = batches.create(registry.find("lesson", "publish"), nothing)
    assert (batch.status, batch.total) == ("done", 0)
    assert batch.finished_at is not None


@pytest.mark.parametrize("target", list(registry.MODELS))
def test_what_is_useful_for_no_row_is_an_empty_answer(session: Session, target: str) -> None:
    assert preview.useful_of_many(target, []) == {}
    assert preview.useful_of_many(target, [uuid.uuid4()]) == {}
    assert preview.useful(target, uuid.uuid4()) == ()


def test_it_is_one_query_however_many_rows(session: Session) -> None:
    ids = [make_lesson().id for _ in range(20)]
    session.rollback()
    with counted() as sent:
        preview.useful_of_many("lesson", ids)
    assert len([one for one in sent if "lessons" in one]) == 1
