"""Playing lessons, how far they were watched, and buying them."""

import uuid

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import playback
from lessonadmin.domain.lessons import purchases
from lessonadmin.domain.progress import done, watching
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import Gift, Position, Revocation
from lessonadmin.views.api.responses import DoneResponse, ProgressResponse, PurchaseResponse, SourceResponse

TAG = "Playing and buying"


@endpoint(
    "GET",
    "/lessons/<uuid:lesson_id>/playback",
    tag=TAG,
    answers={200: SourceResponse},
    problems={
        403: "`purchase_required`: buy it first.",
        409: "`not_ready`: its video cannot be played yet.",
        503: "`signing_unavailable`: the key to protected videos is not set up.",
    },
)
def play_lesson(lesson_id: uuid.UUID) -> Answer:
    """Ask where a lesson plays.

    For its instructor, staff, students who bought it, and all signed-in people if it is published and free. Tokens are
    for this one viewer and live longer than the video lasts.
    """
    return 200, SourceResponse.of(playback.of_lesson(auth.current_user(), lesson_id))


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/progress",
    tag=TAG,
    body=Position,
    answers={200: ProgressResponse, 204: None},
    problems={
        403: "`purchase_required`: buy it first.",
        409: "`not_ready`: its video cannot be played yet; `other_video`: it has a video of another length now.",
        429: "Too many reports within a minute; `Retry-After` says when to come back.",
    },
)
def report_progress(lesson_id: uuid.UUID, body: Position) -> Answer:
    """Say how far a lesson was watched.

    For all who may play it; the next visit goes on there. Of two reports the one that arrives later counts. 204: a later one
    is stored already. A lesson of which nine tenths were passed is done.
    """
    with transaction(auth.current_actor()):
        stored = watching.report(auth.current_user(), lesson_id, seconds=body.seconds, duration=body.duration)
    if stored is None:
        return 204, None
    return 200, ProgressResponse(seconds=stored.seconds, done_at=stored.done_at)


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/done",
    tag=TAG,
    answers={200: DoneResponse},
    problems={403: "`purchase_required`: buy it first."},
)
def mark_lesson_done(lesson_id: uuid.UUID) -> Answer:
    """Mark a lesson as done.

    For all who may play it, for themselves. Said again, it is done since the first time.
    """
    with transaction(auth.current_actor()):
        at = done.mark(auth.current_user(), lesson_id, done=True)
    return 200, DoneResponse(done_at=at)


@endpoint(
    "DELETE",
    "/lessons/<uuid:lesson_id>/done",
    tag=TAG,
    answers={200: DoneResponse},
    problems={403: "`purchase_required`: buy it first."},
)
def mark_lesson_not_done(lesson_id: uuid.UUID) -> Answer:
    """Mark a lesson as not done.

    Where its video goes on stays as it is.
    """
    with transaction(auth.current_actor()):
        at = done.mark(auth.current_user(), lesson_id, done=False)
    return 200, DoneResponse(done_at=at)


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/purchase",
    tag=TAG,
    who="students",
    answers={201: PurchaseResponse, 200: PurchaseResponse},
    problems={409: "`not_for_sale`: it is not published, or its video does not play."},
)
def buy_lesson(lesson_id: uuid.UUID) -> Answer:
    """Buy a lesson.

    201 the first time; again it is the same purchase and 200.
    """
    with transaction(auth.current_actor()):
        purchase, new = purchases.buy(auth.current_user(), lesson_id)
    return 201 if new else 200, PurchaseResponse.of(purchase, lesson_id)


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/purchases",
    tag=TAG,
    who="staff",
    body=Gift,
    answers={201: PurchaseResponse},
    problems={
        409: "`has_it_already`, `plays_already`: this person can play it; `not_ready`: its video does not play."
    },
)
def give_lesson(lesson_id: uuid.UUID, body: Gift) -> Answer:
    """Give a lesson.

    A purchase at no charge for a student, who is notified without the reason.
    """
    with transaction(auth.current_actor(reason=body.reason)):
        given = purchases.give(lesson_id, body.user_id)
    return 201, PurchaseResponse.of(given, lesson_id)


@endpoint(
    "DELETE",
    "/lessons/<uuid:lesson_id>/purchases/<uuid:purchase_id>",
    tag=TAG,
    who="staff",
    query=Revocation,
    answers={204: None},
    problems={409: "`already_revoked`: it is revoked already."},
)
def revoke_purchase(lesson_id: uuid.UUID, purchase_id: uuid.UUID, query: Revocation) -> Answer:
    """Revoke a purchase.

    It opens the lesson no more, and the student is notified with the reason. In the panel it can be restored.
    """
    with transaction(auth.current_actor(reason=query.reason)):
        purchases.revoke(purchase_id, of=lesson_id)
    return 204, None
