"""What a temporary id stood for: asked of the upload first, then looked for among everything at Mux, once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain.maintenance import find_asset
from lessonadmin.domain.maintenance.find_asset import Finder
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.models.videos import MIGRATED
from tests.factories import make_course, make_lesson, make_tracking
from tests.mux_sim import MuxSim


@pytest.fixture(autouse=True)
def plenty(enough_calls: None) -> None:
    """These tests look a lot; how the budget holds them back is tested elsewhere."""


def seeded(mux_sim: MuxSim, **asked: Any) -> str:
    return mux_sim.control.seed_assets(1, **asked)[0]


def old(asset_id: str | None, **columns: Any) -> Lesson:
    return make_lesson(mux_asset_id=asset_id, video_processing_status="processing", **columns)


def arrived(mux_sim: MuxSim) -> tuple[str, str]:
    """An upload whose file is in, and the asset that it became; no upload here knows of it."""
    upload_id = mux_sim.uploaded(make_lesson())
    mux_sim.forget()
    return upload_id, str(mux_sim.control.upload(upload_id)["asset_id"])


@pytest.mark.parametrize(
    ("upload_id", "cleaned"), [("ab-cd.ef02", "ab_cd_ef02"), ("abc", "abc"), ("", ""), ("ü/ 1", "___1")]
)
def test_upload_ids_were_cleaned_like_this(upload_id: str, cleaned: str) -> None:
    assert find_asset.clean(upload_id) == cleaned


@pytest.mark.parametrize(
    ("asset_id", "playback_id"),
    [("temp_{}", None), (None, "temp_playback_{}"), ("temp_{}", "temp_playback_{}"), ("temp_ {} ", None)],
    ids=["asset", "playback id", "both", "with blanks around it"],
)
def test_the_upload_itself_is_asked_and_nothing_else_is_read(
    mux_sim: MuxSim, asset_id: str | None, playback_id: str | None
) -> None:
    upload_id, found = arrived(mux_sim)
    lesson = old(
        asset_id and asset_id.format(upload_id), mux_playback_id=playback_id and playback_id.format(upload_id)
    )
    before = len(mux_sim.calls())
    assert Finder().assets_of(lesson) == {found}
    assert [call["operation"] for call in mux_sim.calls()[before:]] == ["get_upload"]


@pytest.mark.parametrize("make", [make_lesson, make_course], ids=["lesson", "course"])
@pytest.mark.parametrize("by", ["mux_asset_id", "temp_asset_id"])
def test_the_upload_is_named_by_its_row_here(mux_sim: MuxSim, make: Any, by: str) -> None:
    """Of a temporary id that says nothing by itself."""
    upload_id = mux_sim.uploaded(make_lesson())
    found = str(mux_sim.control.upload(upload_id)["asset_id"])
    db.session.execute(delete(Tracking))
    db.session.commit()
    owner = make(mux_asset_id="temp_1")
    make_tracking(owner, upload_id=upload_id, status="cancelled", **{by: "temp_1"})
    make_tracking(make_lesson(), status="cancelled", **{by: "temp_1"})
    assert Finder().assets_of(owner) == {found}


def test_a_cleaned_upload_id_is_found_among_all_assets(mux_sim: MuxSim) -> None:
    found = seeded(mux_sim, upload_id="ab-cd.ef02")
    seeded(mux_sim, upload_id="ab-cd.ef03")
    assert Finder().assets_of(old("temp_ab_cd_ef02")) == {found}


@pytest.mark.parametrize(
    "written",
    [
        {"passthrough": '{{"lesson_id":"{id}"}}'},
        {"passthrough": "{id}"},
        {"passthrough": "", "meta": {"external_id": "{id}"}},
    ],
    ids=["lesson in the passthrough", "bare passthrough", "external id"],
)
def test_it_is_found_by_what_is_written_on_the_asset(mux_sim: MuxSim, written: dict[str, Any]) -> None:
    lesson, other = old("temp_1"), old("temp_2")
    text = {"id": str(lesson.id)}
    asked = {
        name: {key: one.format(**text) for key, one in value.items()}
        if isinstance(value, dict)
        else value.format(**text)
        for name, value in written.items()
    }
    found, finder = seeded(mux_sim, **asked), Finder()
    assert finder.assets_of(lesson) == {found}
    assert finder.assets_of(other) == set()


def test_the_upload_id_weighs_more_than_a_name(mux_sim: MuxSim) -> None:
    lesson = old("temp_ab_cd")
    by_upload = seeded(mux_sim, upload_id="ab-cd")
    seeded(mux_sim, passthrough=str(lesson.id))
    assert Finder().assets_of(lesson) == {by_upload}


def test_all_that_it_could_be_are_named(mux_sim: MuxSim) -> None:
    lesson = old("temp_1")
    both = {seeded(mux_sim, passthrough=str(lesson.id)) for _ in range(2)}
    assert Finder().assets_of(lesson) == both


def test_an_upload_that_waits_for_its_file_is_said_to_wait(mux_sim: MuxSim) -> None:
    upload_id = mux_sim.upload(make_lesson()).upload_id
    lesson, other, finder = old(f"temp_{upload_id}"), old("temp_1"), Finder()
    assert finder.assets_of(lesson) == set()
    assert mux_sim.calls("list_assets") == [], "there can be no asset yet"
    assert finder.assets_of(other) == set()
    assert (finder.is_waiting(lesson), finder.is_waiting(other)) == (True, False)


def test_everything_at_mux_is_read_once_to_its_last_page(mux_sim: MuxSim) -> None:
    first, second = old("temp_1"), old("temp_2")
    mux_sim.control.seed_assets(99)
    ends = [
        seeded(mux_sim, passthrough=str(one.id), age_seconds=age) for one, age in ((first, 0), (second, 9e6))
    ]
    finder = Finder()
    assert [finder.assets_of(one) for one in (first, second, old("temp_3"))] == [{ends[0]}, {ends[1]}, set()]
    assert len(mux_sim.calls("list_assets")) == 2, "101 assets, a hundred a page"


@pytest.mark.parametrize("asset_id", ["temp_", "temp_ ", "temp_an id with blanks"])
def test_what_is_no_upload_id_is_not_asked_for(mux_sim: MuxSim, asset_id: str) -> None:
    lesson = old(asset_id)
    make_tracking(lesson, upload_id=MIGRATED, status="cancelled", temp_asset_id=asset_id)
    assert Finder().assets_of(lesson) == set()
    assert mux_sim.calls("get_upload") == []


def test_a_file_that_is_held_is_not_found(mux_sim: MuxSim) -> None:
    lesson = old("temp_1")
    held, free = (seeded(mux_sim, passthrough=str(lesson.id)) for _ in range(2))
    then = datetime.now(UTC)
    make_tracking(
        make_lesson(), status="cancelled", error_type="held", mux_asset_id=held, superseded_at=then, withdrawn_at=then
    )  # fmt: skip
    assert Finder().assets_of(lesson) == {free}


def test_a_refused_token_is_no_answer(mux_sim: MuxSim) -> None:
    mux_sim.control.fault("api", "status", status=401)
    with pytest.raises(mux.Refused):
        Finder().assets_of(old("temp_abc"))
