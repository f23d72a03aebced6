"""Support names the true asset: what gives way, what is kept, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import AssetDeletion, AuditLog, Lesson, Tracking, UploadCancellation
from lessonadmin.domain.uploads import assign_asset
from muxsim.client import Control
from muxsim.server import Simulator
from tests import factories
from tests.settings import overridden

TOKENS = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]


@pytest.fixture(scope="module")
def running_mux() -> Iterator[Simulator]:
    with Simulator(tokens=TOKENS, processing_seconds=0, rate_limits=False) as simulator:
        yield simulator


@pytest.fixture
def sim(running_mux: Simulator, session: Session) -> Iterator[Control]:
    running_mux.reset()
    with overridden(mux_api_url=running_mux.url):
        yield Control(running_mux.url)


def seeded(sim: Control, *, number: int = 0, **options: object) -> tuple[str, str]:
    (asset_id,) = sim.seed_assets(1, **{"policy": "public", "duration": 30.0, **options})
    return asset_id, str(sim.asset(asset_id)["playback_ids"][number]["id"])


def adopt(lesson: Lesson, asset_id: str, playback_id: str) -> Lesson:
    assign_asset.adopt_asset(lesson, asset_id=asset_id, playback_id=playback_id, actor=CLI)
    return db.session.get_one(Lesson, lesson.id, populate_existing=True)


def test_what_played_gives_way_and_is_kept_for_the_grace_time(sim: Control, session: Session) -> None:
    lesson = factories.make_playing_lesson()
    before = lesson.mux_asset_id
    asset_id, playback_id = seeded(sim)
    after = adopt(lesson, asset_id, playback_id)
    assert (after.mux_asset_id, after.mux_playback_id, after.status) == (asset_id, playback_id, "published")
    promise = session.scalars(select(AssetDeletion)).one()
    assert promise.mux_asset_id == before
    assert promise.due_at > datetime.now(UTC)


def test_an_open_upload_is_cancelled(sim: Control, session: Session) -> None:
    lesson = factories.make_lesson()
    row = factories.make_tracking(lesson)
    adopt(lesson, *seeded(sim))
    assert session.scalars(select(UploadCancellation.upload_id)).all() == [row.upload_id]
    assert session.get_one(Tracking, row.id, populate_existing=True).superseded_at is not None


def test_an_asset_that_is_still_processed_is_on_its_way(sim: Control) -> None:
    lesson = factories.make_lesson()
    sim.hold_processing()
    after = adopt(lesson, *seeded(sim, status="preparing"))
    assert (after.video_processing_status, after.status, after.publish_on_ready) == (
        "processing",
        "draft",
        True,
    )


def test_the_playback_id_alone_can_be_corrected(sim: Control, session: Session) -> None:
    asset_id, right = seeded(sim)
    lesson = factories.make_lesson(
        mux_asset_id=asset_id,
        mux_playback_id="wrong",
        playback_policy="public",
        video_processing_status="ready",
    )
    after = adopt(lesson, asset_id, right)
    assert (after.mux_asset_id, after.mux_playback_id) == (asset_id, right)
    assert session.scalars(select(AssetDeletion)).all() == []
    changes = select(AuditLog).where(AuditLog.action == "video.playback_changed")
    assert [row.detail["before"] for row in session.scalars(changes)] == ["wrong"]
    adopt(lesson, asset_id, right)
    assert len(session.scalars(changes).all()) == 1


def test_a_video_with_the_wrong_policy_is_taken_as_it_is(sim: Control) -> None:
    asset_id, playback_id = seeded(sim, policy="signed")
    lesson = factories.make_lesson(
        mux_asset_id=asset_id, video_processing_status="error", video_error_type="wrong_policy"
    )
    factories.make_tracking(lesson, status="error", error_type="wrong_policy", mux_asset_id=asset_id)
    after = adopt(lesson, asset_id, playback_id)
    assert (after.video_processing_status, after.playback_policy) == ("ready", "signed")


def test_a_replaced_video_in_its_grace_time_comes_back(sim: Control, session: Session) -> None:
    old = seeded(sim)
    lesson = factories.make_lesson()
    adopt(lesson, *old)
    adopt(lesson, *seeded(sim))
    assert session.scalars(select(AssetDeletion.mux_asset_id)).all() == [old[0]]
    after = adopt(lesson, *old)
    assert after.mux_asset_id == old[0]
    assert old[0] not in session.scalars(select(AssetDeletion.mux_asset_id)).all()


def test_what_a_user_deletes_is_not_brought_back(sim: Control) -> None:
    asset_id, playback_id = seeded(sim)
    other = factories.make_lesson(video_processing_status="deleting")
    factories.make_tracking(other, status="deleting", mux_asset_id=asset_id)
    factories.keep(AssetDeletion(mux_asset_id=asset_id))
    lesson = factories.make_lesson()
    with pytest.raises(Conflict) as refusal:
        adopt(lesson, asset_id, playback_id)
    assert refusal.value.type == "being_deleted"
    assert db.session.get_one(Lesson, lesson.id, populate_existing=True).mux_asset_id is None


def test_an_asset_may_play_in_two_lessons(sim: Control) -> None:
    asset_id, playback_id = seeded(sim)
    for lesson in (factories.make_lesson(), factories.make_lesson()):
        assert adopt(lesson, asset_id, playback_id).video_processing_status == "ready"


def test_a_foreign_playback_id_is_refused(sim: Control) -> None:
    lesson = factories.make_lesson()
    (asset_id, _), (_, foreign) = seeded(sim), seeded(sim)
    with pytest.raises(Invalid) as refusal:
        adopt(lesson, asset_id, foreign)
    assert refusal.value.fields is not None
    assert set(refusal.value.fields) == {"mux_playback_id"}
