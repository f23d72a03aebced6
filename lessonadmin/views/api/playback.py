"""Playing and buying lessons."""

import uuid

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import playback
from lessonadmin.domain.lessons import lessons
from lessonadmin.views.api.calls import Answer, call
from lessonadmin.views.api.shown import PurchaseShown, SourceShown

TAG = "Playing and buying"


@call(
    "GET",
    "/lessons/<uuid:lesson_id>/playback",
    tag=TAG,
    answers={200: SourceShown},
    problems={
        403: "`purchase_required`: buy it first.",
        409: "`not_ready`: its video cannot be played yet.",
        503: "`signing_unavailable`: the key to protected videos is not set up.",
    },
)
def play_lesson(lesson_id: uuid.UUID) -> Answer:
    """Ask where a lesson plays.

    For its teacher, staff, whoever bought it, and everybody if it is published and free. Tokens are for this one
    viewer and live longer than the video lasts.
    """
    return 200, SourceShown.of(playback.of_lesson(auth.current_user(), lesson_id))


@call(
    "POST",
    "/lessons/<uuid:lesson_id>/purchase",
    tag=TAG,
    who="students",
    answers={201: PurchaseShown, 200: PurchaseShown},
    problems={409: "`not_for_sale`: it is not published, or its video does not play."},
)
def buy_lesson(lesson_id: uuid.UUID) -> Answer:
    """Buy a lesson.

    201 the first time; again it is the same purchase and 200.
    """
    with transaction(auth.current_actor()):
        purchase, new = lessons.purchase(auth.current_user(), lesson_id)
    return 201 if new else 200, PurchaseShown.of(purchase)
