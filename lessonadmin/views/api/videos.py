"""The status of a video, from the database or from Mux; removing a video, and naming the asset that a lesson really has."""

import uuid

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Kind, Lesson, Owner
from lessonadmin.domain.polling import ask_now
from lessonadmin.domain.uploads import assign_asset
from lessonadmin.domain.videos import locking, removal, video_status
from lessonadmin.text.temporary_ids import is_temporary
from lessonadmin.views.api import owners
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import AssetNamed, OwnerNamed, StatusAsk
from lessonadmin.views.api.responses import (
    AskedStatus,
    AssetStatus,
    FailureResponse,
    LessonResponse,
    UploadStatus,
)

TAG = "Videos"


@endpoint("GET", "/mux/check-asset-status", tag=TAG, query=StatusAsk, answers={200: AssetStatus})
def check_asset_status(query: StatusAsk) -> Answer:
    """Ask the database how a video stands.

    Cheap, and true within seconds. Ask again after `next_poll_ms`, which grows with `attempt`.
    """
    owner = owners.to_see(query)
    found = video_status.of(owner)
    plays = not isinstance(owner, Lesson) or permissions.may_play(auth.current_user(), owner)
    return 200, AssetStatus(
        status=found.status,  # type: ignore[arg-type]  # the table has a constraint for it
        playback_id=found.playback_id if plays else None,
        asset_id=found.asset_id if plays else None,
        lesson_status=owner.status if isinstance(owner, Lesson) else None,  # type: ignore[arg-type]
        progress=found.progress,
        stuck=found.stuck,
        error=FailureResponse.of(found.error),
        next_poll_ms=video_status.next_poll_ms(query.attempt),
    )


@endpoint(
    "GET",
    "/mux/check-upload-status",
    tag=TAG,
    who="teaching",
    query=OwnerNamed,
    changes=True,
    answers={200: AskedStatus},
    problems={
        429: "More than ASKS_PER_MINUTE; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: Mux does not answer. Nothing was changed.",
    },
)
def check_upload_status(query: OwnerNamed) -> Answer:
    """Ask Mux how a video stands, now.

    What Mux says is applied; an asset that is gone there is cleared here.
    """
    owner = owners.to_change(query)
    kind, owner_id = owner.kind, owner.id
    said = ask_now.ask_now(owner, actor=auth.current_actor())
    found = video_status.of(_again(kind, owner_id))
    return 200, AskedStatus(
        status=found.status,  # type: ignore[arg-type]
        playback_id=found.playback_id,
        asset_id=found.asset_id,
        message=said or video_status.sentence(found),
    )


def _again(kind: Kind, owner_id: uuid.UUID) -> Owner:
    owner = locking.find_owner(kind, owner_id)
    if owner is None:
        raise Missing()
    return owner


@endpoint(
    "POST",
    "/mux/update-asset",
    tag=TAG,
    who="staff",
    body=AssetNamed,
    answers={200: LessonResponse},
    problems={
        409: "`video_error`: the asset failed. `being_deleted`: it is being deleted. `held`: staff have to decide about it.",
        429: "Rate limited: too many within a minute; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: Mux does not answer. Nothing was changed.",
    },
)
def update_asset(body: AssetNamed) -> Answer:
    """Say which asset a lesson really has.

    Asset and playback id are checked against Mux before they are believed.
    """
    user = auth.current_user()
    lesson = permissions.lesson_to_change(user, body.lesson_id)
    assign_asset.adopt_asset(
        lesson, asset_id=body.mux_asset_id, playback_id=body.mux_playback_id, actor=auth.current_actor()
    )
    return 200, LessonResponse.of(user, permissions.lesson_to_change(user, body.lesson_id))


@endpoint("DELETE", "/mux/assets/<asset_id>", tag=TAG, who="teaching", answers={202: UploadStatus})
def delete_asset(asset_id: str) -> Answer:
    """Delete a video, also while it is still processing.

    Its ids are cleared from every lesson and course that used it, and Mux is told by a job.
    """
    if is_temporary(asset_id):
        raise Missing()
    with transaction(auth.current_actor()):
        removal.delete_asset(auth.current_user(), asset_id)
    return 202, UploadStatus(status="deleting")
