"""What Mux said about an upload, read as an observation: every status, and which playback id is taken."""

import pytest

from lessonadmin import mux
from lessonadmin.domain.models.videos import ANY_POLICY
from lessonadmin.domain.videos.observations import (
    Observation,
    asset_observation,
    gone_observation,
    upload_observation,
)
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests.cases import each_of

PUBLIC, SIGNED = mux.PlaybackId("p", "public"), mux.PlaybackId("s", "signed")
SECOND, DRM = mux.PlaybackId("p2", "public"), mux.PlaybackId("d", "drm")


def ready(*playback_ids: mux.PlaybackId, policy: str = "public", **more: object) -> Observation:
    asset = mux.Asset(id="a", status="ready", playback_ids=playback_ids)
    return asset_observation(asset, wanted_policy=policy, found_by="webhook", seen=True, **more)  # type: ignore[arg-type]


def test_an_asset_is_read_whole() -> None:
    asset = mux.Asset(
        id="a", status="ready", upload_id="u", playback_ids=(PUBLIC,), duration=9.5, progress=100
    )
    assert asset_observation(asset, wanted_policy="public", found_by="sweep", seen=True) == Observation(
        video_event=VideoEvent.ASSET_READY,
        found_by="sweep",
        seen=True,
        upload_id="u",
        asset_id="a",
        playback_id="p",
        policy="public",
        duration=9.5,
        progress=100,
    )


@pytest.mark.parametrize("status", ["preparing", "unknown"])
def test_an_asset_that_is_not_ready_is_only_seen_and_plays_by_no_id(status: str) -> None:
    asset = mux.Asset(id="a", status=status, playback_ids=(PUBLIC,), error_type="t", error_message="m")  # type: ignore[arg-type]
    found = asset_observation(asset, wanted_policy="public", found_by="webhook", seen=False)
    assert (found.video_event, found.playback_id, found.policy) == (VideoEvent.ASSET_SEEN, None, None)
    assert (found.error_type, found.error_message, found.seen) == (None, None, False)


def test_an_asset_that_failed_says_why_in_muxs_words() -> None:
    asset = mux.Asset(
        id="a", status="errored", playback_ids=(PUBLIC,), error_type="invalid", error_message="No sound."
    )
    found = asset_observation(asset, wanted_policy="public", found_by="webhook", seen=True)
    assert (found.video_event, found.playback_id) == (VideoEvent.ASSET_ERRORED, None)
    assert (found.error_type, found.error_message) == ("asset_errored", "No sound.")


@pytest.mark.parametrize(
    ("playback_ids", "wanted", "any_policy", "taken"),
    [
        ((PUBLIC, SIGNED), "public", False, PUBLIC),
        ((PUBLIC, SIGNED), "signed", False, SIGNED),
        ((SIGNED, PUBLIC), "public", True, PUBLIC),
        ((SIGNED,), "public", True, SIGNED),
        ((SIGNED, PUBLIC), ANY_POLICY, False, SIGNED),
        ((DRM, PUBLIC), ANY_POLICY, True, PUBLIC),
        ((PUBLIC, SECOND), "public", False, PUBLIC),
    ],
)
def test_the_playback_id_fits_the_wanted_policy_or_any_that_can_be_played(
    playback_ids: tuple[mux.PlaybackId, ...], wanted: str, any_policy: bool, taken: mux.PlaybackId
) -> None:
    found = ready(*playback_ids, policy=wanted, any_policy=any_policy)
    assert (found.video_event, found.error_type) == (VideoEvent.ASSET_READY, None)
    assert (found.playback_id, found.policy) == (taken.id, taken.policy)


@pytest.mark.parametrize(
    ("playback_ids", "wanted", "any_policy", "why"),
    [
        ((), "public", False, "no_playback_id"),
        ((), ANY_POLICY, True, "no_playback_id"),
        ((SIGNED,), "public", False, "wrong_policy"),
        ((PUBLIC,), "signed", False, "wrong_policy"),
        ((DRM,), ANY_POLICY, True, "wrong_policy"),
        ((DRM,), "drm", False, "wrong_policy"),
    ],
)
def test_without_a_playback_id_that_fits_it_cannot_be_played(
    playback_ids: tuple[mux.PlaybackId, ...], wanted: str, any_policy: bool, why: str
) -> None:
    found = ready(*playback_ids, policy=wanted, any_policy=any_policy)
    assert (found.video_event, found.error_type) == (VideoEvent.ASSET_UNPLAYABLE, why)
    assert (found.playback_id, found.policy, found.error_message) == (None, None, None)


@pytest.mark.parametrize(
    ("keep", "taken"), [("p2", "p2"), ("p", "p"), ("s", "p"), ("another", "p"), (None, "p")]
)
def test_of_several_that_fit_the_one_that_is_in_use_is_kept(keep: str | None, taken: str) -> None:
    assert ready(PUBLIC, SECOND, SIGNED, keep=keep).playback_id == taken


@each_of(
    ("status", "asset_id", "video_event"),
    [
        ("waiting", None, VideoEvent.UPLOAD_WAITING),
        ("unknown", None, VideoEvent.UPLOAD_WAITING),
        ("waiting", "a", VideoEvent.ASSET_SEEN),
        ("unknown", "a", VideoEvent.ASSET_SEEN),
        ("asset_created", "a", VideoEvent.ASSET_SEEN),
        ("asset_created", None, VideoEvent.ASSET_SEEN),
        ("errored", None, VideoEvent.UPLOAD_ERRORED),
        ("cancelled", None, VideoEvent.UPLOAD_CANCELLED),
        ("timed_out", None, VideoEvent.UPLOAD_EXPIRED),
        ("errored", "a", VideoEvent.UPLOAD_ERRORED),
    ],
)
def test_an_upload_is_read_by_its_status_and_its_asset(
    status: str, asset_id: str | None, video_event: VideoEvent
) -> None:
    upload = mux.Upload(id="u", status=status, asset_id=asset_id, error_message="Why.")  # type: ignore[arg-type]
    found = upload_observation(upload, found_by="sweep", seen=True)
    said = status != "unknown"  # a status of tomorrow says nothing that could be relied on
    assert (found.video_event, found.found_by, found.seen) == (video_event, "sweep", said)
    assert (found.upload_id, found.asset_id, found.error_message) == ("u", asset_id, "Why.")


def test_what_mux_does_not_know_any_more_was_looked_at() -> None:
    found = gone_observation("a", found_by="manual")
    assert (found.video_event, found.asset_id, found.seen) == (VideoEvent.ASSET_DELETED, "a", True)
