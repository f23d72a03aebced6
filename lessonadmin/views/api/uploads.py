"""Uploads: the URL to upload to, also for an upload that was interrupted, the report that the bytes are sent, and cancelling.

The endpoints that name an upload answer with the status of that upload.
"""

from lessonadmin import auth
from lessonadmin.domain.uploads import direct_upload, resuming
from lessonadmin.domain.uploads.direct_upload import File
from lessonadmin.views.api import owners
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import BytesIn, UploadAsk, UploadNamed
from lessonadmin.views.api.responses import TicketResponse, UploadStatus

TAG = "Uploads"


@endpoint(
    "POST",
    "/mux/upload-url",
    also=("/mux/upload",),
    tag=TAG,
    who="teaching",
    body=UploadAsk,
    body_or_query=True,
    answers={201: TicketResponse},
    problems={
        409: "`quota`: the plan at Mux is full.",
        413: "`too_large`: more than UPLOAD_MAX_MB.",
        415: "`unsupported_type`: not an accepted video type.",
        429: "More than UPLOADS_PER_HOUR; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: Mux does not answer.",
    },
)
def ask_for_upload_url(body: UploadAsk) -> Answer:
    """Ask where to upload a file.

    JSON or a query string. A new upload takes the place of one that is still open, which is cancelled at Mux; a video
    that plays keeps playing until the new one is ready.
    """
    owner = owners.to_change(body)
    chosen = "caption_language" in body.model_fields_set
    file = File(
        name=body.filename,
        size=body.size,
        content_type=body.content_type,
        caption_language=body.caption_language if chosen else direct_upload.OF_COURSE,
    )
    return 201, TicketResponse.of(direct_upload.start(owner, file, actor=auth.current_actor()))


@endpoint(
    "POST",
    "/mux/resume-upload",
    tag=TAG,
    who="teaching",
    body=UploadNamed,
    answers={200: TicketResponse},
    problems={
        409: "`not_resumable`: it was finished, cancelled or replaced, or its time ran out.",
        429: "More than ASKS_PER_MINUTE; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: Mux does not answer.",
    },
)
def ask_for_upload_url_again(body: UploadNamed) -> Answer:
    """Ask where an interrupted upload goes on.

    The same URL as before, while Mux still waits for the file. What has arrived already need not be sent again; which bytes these
    are, the client must remember.
    """
    owner = direct_upload.owner_to_change(auth.current_user(), body.upload_id)
    ticket = resuming.url_again(owner, body.upload_id, actor=auth.current_actor())
    return 200, TicketResponse.of(ticket)


@endpoint(
    "POST",
    "/mux/track-upload",
    also=("/lessons/update-upload-id",),
    tag=TAG,
    who="teaching",
    body=BytesIn,
    answers={200: UploadStatus},
    problems={
        429: "More than ASKS_PER_MINUTE uploads that Lessonadmin did not issue; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: an upload that Lessonadmin did not issue had to be looked up at Mux.",
    },
)
def track_upload(body: BytesIn) -> Answer:
    """Say that the bytes are in.

    A hint, not proof: it only shortens the wait. An upload that Lessonadmin did not issue is looked up at Mux and taken in only
    if it was made for this lesson or course.
    """
    owner = owners.to_change(body)
    status = direct_upload.bytes_are_in(
        owner, body.upload_id, temp_asset_id=body.temp_asset_id, actor=auth.current_actor()
    )
    return 200, UploadStatus(status=status)


@endpoint(
    "POST", "/mux/cancel-upload", tag=TAG, who="teaching", body=UploadNamed, answers={200: UploadStatus}
)
def cancel_upload(body: UploadNamed) -> Answer:
    """Give an upload up, here and at Mux."""
    owner = direct_upload.owner_to_change(auth.current_user(), body.upload_id)
    status = direct_upload.cancel_at_once(body.upload_id, owner, actor=auth.current_actor())
    return 200, UploadStatus(status=status)
