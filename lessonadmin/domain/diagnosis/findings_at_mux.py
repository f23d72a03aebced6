"""What Mux's own answer, beside our record, says about the cause. It is only asked for when somebody wants to know."""

from lessonadmin import mux
from lessonadmin.domain.diagnosis.facts import CaseFile
from lessonadmin.domain.diagnosis.findings import DOCTOR, Finding, recheck, republish, unplayable
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models.videos import ANY_POLICY


def by_mux(case: CaseFile) -> Finding | None:
    look = case.look
    if look is None:
        return None
    if look.error is not None:
        return mux_trouble(look.error.category, look.error.message)
    if look.strange:
        return Finding(
            "wrong_environment",
            "Mux knows this video no more, nor any other of ours: the access token seems to belong to another Mux environment.",
            "trouble",
            DOCTOR,
        )
    if look.asset_gone and case.watched_status in ("ready", "processing", "uploading"):
        return Finding(
            "deleted_at_mux",
            f"The {case.noun} was deleted at Mux and we were not told. Press the button to take over that it is gone, then ask for a new upload.",
            "trouble",
            recheck(case, "Take that over"),
        )
    return _asset_against_ours(case, look) or _upload_against_ours(case, look)


def _asset_against_ours(case: CaseFile, look: Look) -> Finding | None:
    asset = look.asset
    if asset is None:
        return None
    if asset.status == "ready":
        return _ready_there(case, asset)
    if asset.status == "errored" and case.watched_status != "error":
        words = f": {asset.error_message.rstrip('.')}" if asset.error_message else ""
        return Finding(
            "asset_errored",
            f"Mux could not process the {case.noun}{words}. Its message never reached us; take it over, then ask for a new file.",
            "trouble",
            recheck(case, "Take that over"),
        )
    if asset.status == "preparing" and case.watched_status == "uploading":
        said = "The file is in and Mux works on it; we were not told yet."
        return Finding("processing_not_told", said, "waiting", recheck(case))
    return None


def _ready_there(case: CaseFile, asset: mux.Asset) -> Finding | None:
    """Mux has it ready: what do we say?"""
    if case.moving:
        if not asset.playback_ids or not _fits(case, asset):
            return unplayable(case, "wrong_policy" if asset.playback_ids else "no_playback_id")
        said = f"Mux has the {case.noun} ready, but its message never reached us. One press takes it over."
        return Finding("ready_not_told", said, "trouble", recheck(case, "Take it over"))
    if (
        case.watched_status == "error"
        and asset.playback_ids
        and case.owner.video_error_type != "wrong_policy"
    ):
        said = "We say that it failed, but Mux has the video ready. “Republish” takes it over."
        return Finding("ready_after_all", said, "trouble", republish(case))
    if case.watched_status == "ready" and not _same_playback_id(case, asset):
        said = "Mux plays this video under another playback id than the one we have. “Republish” corrects it."
        return Finding("wrong_playback_id", said, "trouble", republish(case))
    return None


def _fits(case: CaseFile, asset: mux.Asset) -> bool:
    if case.watched is None or case.watched.wanted_policy == ANY_POLICY:
        return True
    return asset.playback_id_for(case.watched.wanted_policy) is not None


def _same_playback_id(case: CaseFile, asset: mux.Asset) -> bool:
    return any(one.id == case.owner.mux_playback_id for one in asset.playback_ids)


ENDINGS = {
    "timed_out": ("url_expired", "The upload address expired before the file was in"),
    "cancelled": ("cancelled_elsewhere", "The upload was cancelled at Mux"),
    "errored": ("upload_errored", "Mux could not use the file"),
}


def _upload_against_ours(case: CaseFile, look: Look) -> Finding | None:
    if case.watched_status != "uploading" or look.asset is not None:
        return None
    ending = ENDINGS.get(look.upload.status) if look.upload is not None else None
    if look.upload_gone:
        ending = ("url_expired", "Mux does not know this upload any more")
    if ending is None:
        return None
    cause, words = ending
    reason = look.upload.error_message if look.upload is not None else None
    said = f": {reason.rstrip('.')}" if reason else ""
    return Finding(
        cause,
        f"{words}{said}. Take that over, then ask the teacher to upload it again.",
        "trouble",
        recheck(case, "Take that over"),
    )


def mux_trouble(category: str, message: str) -> Finding:
    """Mux could not be asked: a wrong token is ours to mend, everything else passes."""
    message = message if message.endswith((".", "…", "!", "?")) else f"{message}."
    if category == "auth_error":
        return Finding("wrong_token", message, "trouble", DOCTOR)
    if category == "rate_limit":
        return Finding("mux_busy", f"{message} It is asked again by itself.", "waiting")
    if category in ("temp_asset", "not_found"):
        return Finding("nothing_at_mux", message, "trouble")
    return Finding(
        "mux_unreachable",
        f"{message} Nothing is concluded from that; it is asked again by itself.",
        "trouble",
        DOCTOR,
    )
