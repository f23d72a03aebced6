"""The causes that Mux's own answer names beside the local rows. It is only there when staff asked for it.

These functions read what was answered; they ask neither the database nor Mux.
"""

from lessonadmin import mux
from lessonadmin.domain.diagnosis.facts import VideoFacts
from lessonadmin.domain.diagnosis.finding import DOCTOR, Finding, check, republish
from lessonadmin.domain.diagnosis.findings import unplayable
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.diagnosis.outages import mux_trouble
from lessonadmin.domain.models.videos import ANY_POLICY

TAKES_OVER = "“Check with Mux” takes that over"


def finding_at_mux(case: VideoFacts) -> Finding | None:
    look = case.look
    if look is None:
        return None
    if look.error is not None:
        return mux_trouble(look.error.category, look.error.message, check(case))
    if look.strange:
        said = "Mux knows neither this video nor any other of Lessonadmin: the access token seems to belong to another Mux environment."
        return Finding("wrong_environment", said, "trouble", (DOCTOR,))
    if look.asset_gone and case.watched_status in ("ready", "processing", "uploading"):
        said = f"The {case.noun} was deleted at Mux, and its message has not arrived. {TAKES_OVER}; then ask for a new upload."
        return Finding("deleted_at_mux", said, "trouble", (check(case),))
    return _asset_against_ours(case, look) or _upload_against_ours(case, look)


def _asset_against_ours(case: VideoFacts, look: Look) -> Finding | None:
    asset = look.asset
    if asset is None:
        return None
    if asset.status == "ready":
        return _ready_there(case, asset)
    if asset.status == "errored" and case.watched_status != "error":
        words = f": {asset.error_message.rstrip('.')}" if asset.error_message else ""
        said = f"Mux could not process the {case.noun}{words}. Its message has not arrived. {TAKES_OVER}; then ask for a new file."
        return Finding("asset_errored", said, "trouble", (check(case),))
    if asset.status == "preparing" and case.watched_status == "uploading":
        said = f"Mux has the file and works on it; its message has not arrived yet. {TAKES_OVER}."
        return Finding("processing_not_told", said, "waiting", (check(case),))
    return None


def _ready_there(case: VideoFacts, asset: mux.Asset) -> Finding | None:
    """Mux has it ready: what do the local rows say?"""
    if case.moving:
        if not asset.playback_ids or not _fits(case, asset):
            return unplayable(case, "wrong_policy" if asset.playback_ids else "no_playback_id")
        said = f"Mux has the {case.noun} ready, but its message has not arrived. {TAKES_OVER}."
        return Finding("ready_not_told", said, "trouble", (check(case),))
    if (
        case.watched_status == "error"
        and asset.playback_ids
        and case.owner.video_error_type != "wrong_policy"
    ):
        said = (
            "It is marked as failed here, but Mux has the video ready. “Re-sync and publish” takes it over."
        )
        return Finding("ready_after_all", said, "trouble", (republish(case),))
    if case.watched_status == "ready" and not _same_playback_id(case, asset):
        said = "Mux plays this video under another playback id than the one stored here. “Re-sync and publish” corrects it."
        return Finding("wrong_playback_id", said, "trouble", (republish(case),))
    return None


def _fits(case: VideoFacts, asset: mux.Asset) -> bool:
    if case.watched is None or case.watched.wanted_policy == ANY_POLICY:
        return True
    return asset.playback_id_for(case.watched.wanted_policy) is not None


def _same_playback_id(case: VideoFacts, asset: mux.Asset) -> bool:
    return any(one.id == case.owner.mux_playback_id for one in asset.playback_ids)


ENDINGS = {
    "timed_out": ("url_expired", "The time to upload was over before the file had arrived"),
    "cancelled": ("cancelled_elsewhere", "The upload was cancelled at Mux"),
    "errored": ("upload_errored", "Mux could not use the file"),
}


def _upload_against_ours(case: VideoFacts, look: Look) -> Finding | None:
    if case.watched_status != "uploading" or look.asset is not None:
        return None
    ending = ENDINGS.get(look.upload.status) if look.upload is not None else None
    if look.upload_gone:
        ending = ("url_expired", "Mux does not know this upload any more")
    if ending is None:
        return None
    cause, words = ending
    reason = look.upload.error_message if look.upload is not None else None
    why = f": {reason.rstrip('.')}" if reason else ""
    said = f"{words}{why}. {TAKES_OVER}; then ask {case.instructor} to upload it again."
    return Finding(cause, said, "trouble", (check(case),))
