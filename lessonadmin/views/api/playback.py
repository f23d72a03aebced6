"""Playing and buying lessons."""

import uuid

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import playback
from lessonadmin.domain.lessons import purchases
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.responses import PurchaseResponse, SourceResponse

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
