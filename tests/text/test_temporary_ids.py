"""Ids that Mux has never given: the rule in Python and the rule in SQL are one, and lists find them by an index."""

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.text.temporary_ids import is_temporary, temporary
from tests.factories import make_course, make_lesson, make_tracking
from tests.queries import plan_of

IDS = (
    None, "", "temp_", "temp_1", "temp_playback_x", "temp", "tempo", "tempX1", "temp-1", "Temp_1", "TEMP_1", " temp_1",
    "atemp_1", "temp_%", "temp\\_1", "%", "_", "\\", "a", "temp_\n", "temp_ä",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [("temp_1", True), ("temp_", True), ("temporary", False), ("", False), (None, False), ("a1", False)],
)
def test_what_begins_like_one_is_one(given: str | None, expected: bool) -> None:
    assert is_temporary(given) is expected


@pytest.mark.parametrize("mux_id", IDS)
def test_both_rules_agree(session: Session, mux_id: str | None) -> None:
    said = session.scalar(select(temporary(literal(mux_id, Lesson.mux_asset_id.type))))
    assert said is is_temporary(mux_id)


@pytest.mark.parametrize("playback_id", [None, "p", "temp_playback_1"])
@pytest.mark.parametrize("asset_id", [None, "a", "temp_1"])
def test_every_row_that_names_a_video_knows_it(
    session: Session, asset_id: str | None, playback_id: str | None
) -> None:
    ids = {"mux_asset_id": asset_id, "mux_playback_id": playback_id}
    rows = (make_lesson(**ids), make_course(**ids), make_tracking(make_lesson(), status="error", **ids))
    for row, model in zip(rows, (Lesson, Course, Tracking), strict=True):
        assert row.has_temporary_asset == is_temporary(asset_id)
        assert row.has_temporary_id == (is_temporary(asset_id) or is_temporary(playback_id))
        found = session.execute(
            select(model.has_temporary_asset, model.has_temporary_id).where(model.id == row.id)
        ).one()
        assert tuple(found) == (row.has_temporary_asset, row.has_temporary_id)


@pytest.mark.usefixtures("session")
def test_the_partial_index_is_used() -> None:
    assert "ix_lessons_temporary" in plan_of(select(Lesson.id).where(temporary(Lesson.mux_asset_id)))
