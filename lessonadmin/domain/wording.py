"""Video states and failures in plain words: what happened, and what to do. One sentence a thing, for every surface."""

WHAT_FAILED = {
    "upload_timed_out": "The upload was not finished in time, so Mux closed it. Please upload the video again.",
    "upload_errored": "Mux could not use the file that was uploaded. Please check that it plays and upload it again.",
    "upload_cancelled": "The upload was cancelled at Mux. Please upload the video again.",
    "no_playback_id": "Mux made the video but gave it no playback address. Support can mend this with “Republish”.",
    "wrong_policy": "Mux made the video with another playback policy than we asked for. Support can mend this.",
    "deleted_at_mux": "The video was deleted at Mux. Please upload it again.",
    "asset_errored": "Mux could not process this video.",
}

WHERE_IT_IS = {
    "none": "There is no video yet.",
    "uploading": "Mux is waiting for the file.",
    "processing": "Mux is processing the video.",
    "ready": "The video is ready.",
    "deleting": "The video is being deleted.",
}
WHAT_IS_COMING = {
    "uploading": "Mux is waiting for the file of its replacement.",
    "processing": "Mux is processing its replacement.",
}


def why_failed(error_type: str | None, message: str | None) -> str:
    """What went wrong and what to do, with Mux's own words where there are any."""
    said = (message or "").strip()
    if error_type in WHAT_FAILED and error_type != "asset_errored":
        return WHAT_FAILED[error_type]
    if said:
        return f"Mux could not process this video: {said.rstrip('.')}. Please check the file and upload it again."
    return "Mux could not process this video. Please check that the file plays and upload it again."
