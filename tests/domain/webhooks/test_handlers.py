"""Whose event is it: the note on the asset first, then the upload's id, then the asset's; and what belongs to none."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import AssetDeletion, Tracking, User
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim

PLAYABLE = [{"id": "p1", "policy": "public"}]


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "type": kind, "data": data}


def ready(**data: Any) -> dict[str, Any]:
    return event("video.asset.ready", **{"id": "asset1", "status": "ready", "playback_ids": PLAYABLE, **data})


def test_by_our_note_on_the_asset(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    row = make_tracking(lesson)
    make_tracking(other, upload_id="u-other")
    note = mux.Passthrough(lesson_id=lesson.id, tracking_id=row.id).text()
    assert mux_sim.give(ready(passthrough=note, upload_id="u-other")) == "applied"
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.lesson(other).status == "draft"


def test_by_upload_id_then_by_asset_id(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    make_tracking(lesson, upload_id="u1")
    make_tracking(other, upload_id="u2", mux_asset_id="asset2", status="processing")
    assert mux_sim.give(ready(upload_id="u1")) == "applied"
    assert mux_sim.give(ready(id="asset2")) == "applied"
    assert {mux_sim.lesson(one).status for one in (lesson, other)} == {"published"}


def test_an_upload_event_has_its_ids_elsewhere_than_an_asset_event(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    row = make_tracking(lesson, upload_id="u1")
    made = event("video.upload.asset_created", id="u1", asset_id="asset1", status="asset_created")
    assert mux_sim.give(made) == "applied"
    db.session.refresh(row)
    assert (row.mux_asset_id, row.status) == ("asset1", "processing")


@pytest.mark.parametrize("status", ["skipped", "errored", "a_word_of_tomorrow"])
def test_captions_that_came_to_nothing_change_no_video(mux_sim: MuxSim, status: str) -> None:
    """Mux skips captions where nothing is spoken; the video is as good as any other."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset = mux_sim.control.asset(mux_sim.lesson(lesson).mux_asset_id or "")
    track = {
        "id": "track1",
        "type": "text",
        "text_source": "generated_vod",
        "status": status,
        "language_code": "auto",
    }
    told = {
        "id": f"event-{status}",
        "type": f"video.asset.track.{status}",
        "object": {"type": "track", "id": "track1"},
        "data": {**track, "asset_id": asset["id"]},
    }
    known = status != "a_word_of_tomorrow"
    assert mux_sim.give(told) == ("applied" if known else "ignored")
    ready = {"id": f"later-{status}", "type": "video.asset.updated", "data": {**asset, "tracks": [track]}}
    assert mux_sim.give(ready) == "no_change"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    assert mux_sim.uploads(now)[0].captions == {"skipped": "skipped", "errored": "failed"}.get(status)


def test_captions_of_an_unknown_asset_are_not_waited_for(mux_sim: MuxSim) -> None:
    """Other applications have captions, too; those of a video that becomes known later are seen in the next look at it."""
    data = {
        "id": "track1",
        "type": "text",
        "text_source": "generated_vod",
        "status": "ready",
        "asset_id": "theirs",
    }
    assert mux_sim.give(event("video.asset.track.ready", **data)) == "ignored"


def test_a_lesson_from_before_tracking(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson(mux_asset_id="old")
    db.session.query(Tracking).delete()
    db.session.commit()
    assert mux_sim.give(event("video.asset.deleted", id="old", status="ready")) == "applied"
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"


def test_the_type_decides_and_not_the_snapshot(mux_sim: MuxSim) -> None:
    """`video.asset.deleted` carries the last state before it, "ready" among others."""
    lesson = make_playing_lesson()
    mux_sim.give(event("video.asset.deleted", id=lesson.mux_asset_id, status="ready", playback_ids=PLAYABLE))
    assert mux_sim.lesson(lesson).status == "draft"


@pytest.mark.parametrize("kind", ["video.asset.ready", "video.asset.deleted", "video.upload.cancelled"])
def test_another_applications_videos_are_ignored(mux_sim: MuxSim, kind: str) -> None:
    for note in ("theirs", '{"app": "shop", "lesson_id": "1"}', "{}", '{"lesson_id": "no uuid"}'):
        data = {"id": "x"} | (
            {"new_asset_settings": {"passthrough": note}} if ".upload." in kind else {"passthrough": note}
        )
        assert mux_sim.give(event(kind, **data)) in ("ignored", "unmatched")
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_a_foreign_event_of_the_simulator(mux_sim: MuxSim) -> None:
    mux_sim.control.foreign_event()
    assert mux_sim.deliver() == ["ignored"]


def test_an_asset_with_two_owners_belongs_to_neither(mux_sim: MuxSim) -> None:
    lesson, course = make_lesson(), make_course()
    note = f'{{"lesson_id": "{lesson.id}", "course_id": "{course.id}"}}'
    assert mux_sim.give(ready(passthrough=note)) == "ignored"
    assert mux_sim.lesson(lesson).status == "draft"


def test_a_foreign_lesson_is_not_reached_by_a_known_upload(mux_sim: MuxSim) -> None:
    """The note names one lesson, the upload belongs to another: the note is the school's, and its attempt decides."""
    lesson, other = make_lesson(), make_lesson()
    make_tracking(other, upload_id="u1")
    note = mux.Passthrough(lesson_id=lesson.id).text()
    mux_sim.give(ready(passthrough=note, upload_id="u1"))
    assert mux_sim.lesson(other).video_processing_status == "none"


def test_an_unknown_lesson_is_parked(mux_sim: MuxSim) -> None:
    assert mux_sim.give(ready(passthrough=mux.Passthrough(lesson_id=uuid.uuid4()).text())) == "unmatched"


def test_an_attempt_never_changes_its_asset(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    make_tracking(lesson, upload_id="u1", mux_asset_id="a1", status="processing")
    assert mux_sim.give(ready(id="a2", upload_id="u1")) == "unmatched"
    assert mux_sim.lesson(lesson).status == "draft"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("video.asset.created", "applied"),
        ("video.asset.ready", "applied"),
        ("video.asset.errored", "applied"),
        ("video.asset.updated", "applied"),
        ("video.asset.warning", "applied"),
        ("video.asset.non_standard_input_detected", "applied"),
        ("video.asset.deleted", "applied"),
        ("video.asset.live_stream_completed", "ignored"),
        ("video.asset.track.created", "no_change"),
        ("video.asset.track.ready", "no_change"),
        ("video.asset.track.errored", "no_change"),
        ("video.asset.track.skipped", "no_change"),
        ("video.asset.static_rendition.ready", "ignored"),
        ("video.asset.static_renditions.ready", "ignored"),
        ("video.asset.master.ready", "ignored"),
        ("video.asset.shots.ready", "ignored"),
        ("video.live_stream.active", "ignored"),
        ("video.delivery.high_traffic", "ignored"),
        ("robots.job.completed", "ignored"),
        ("video.asset.reticulated", "ignored"),
    ],
)
def test_every_type_is_answered(mux_sim: MuxSim, kind: str, outcome: str) -> None:
    lesson = make_lesson()
    make_tracking(lesson, upload_id="u1")
    assert mux_sim.give(event(kind, id="asset1", status="preparing", upload_id="u1")) == outcome


def test_a_video_with_our_name_on_it_is_taken_in_where_nothing_else_is(mux_sim: MuxSim) -> None:
    """Made at Mux by hand, for a lesson without a video."""
    lesson = make_lesson()
    note = mux.Passthrough(lesson_id=lesson.id).text()
    assert mux_sim.give(ready(passthrough=note)) == "applied"
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.give(ready(id="asset2", passthrough=note)) == "unmatched"
    assert mux_sim.lesson(lesson).mux_asset_id == "asset1"


def test_late_assets_of_a_lesson_that_was_deleted_go_too(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    owner = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(owner.id)):
        lessons.delete(owner, lesson.id)
    mux_sim.control.complete_upload(ticket.upload_id)
    assert "unmatched" not in mux_sim.deliver()
    assert len(db.session.scalars(select(AssetDeletion)).all()) == 1


def test_an_asset_of_another_installation_is_never_deleted(mux_sim: MuxSim) -> None:
    """Its note looks like the school's and names a lesson that it never had: only parked."""
    note = mux.Passthrough(lesson_id=uuid.uuid4(), tracking_id=uuid.uuid4()).text()
    (asset_id,) = mux_sim.control.seed_assets(1, passthrough=note)
    mux_sim.control.send_event("video.asset.ready", asset_id=asset_id)
    assert mux_sim.deliver() == ["unmatched"]
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_what_one_webhook_says_is_believed_without_a_call(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    before = len(mux_sim.calls())
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published"
    assert len(mux_sim.calls()) == before


def test_two_that_disagree_are_settled_by_asking(mux_sim: MuxSim) -> None:
    from lessonadmin.jobs import videos as jobs

    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    row = mux_sim.uploads(lesson)[0]
    lie = event("video.asset.errored", id=row.mux_asset_id, status="errored", upload_id=row.upload_id)
    assert mux_sim.give(lie) == "no_change"
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.uploads(lesson)[0].next_check_at is not None
    jobs.check_asset(str(row.id))
    assert mux_sim.lesson(lesson).status == "published"
    mux_sim.control.error_asset(row.mux_asset_id or "")
    mux_sim.deliver()
    jobs.check_asset(str(row.id))
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_error_type) == ("draft", "asset_errored")
