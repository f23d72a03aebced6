"""What a person may do about a video from a page, the same for lessons and course previews.

Each takes an owner that this person may change and returns the word for which `templates/video/answers.html` has the answer.
"""

from collections.abc import Callable
from typing import cast

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Kind, Lesson, Owner
from lessonadmin.domain.polling import ask_now
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal

Action = Callable[[Owner], str]


def publish(owner: Owner) -> str:
    """Publish a lesson now, or as soon as its video is ready."""
    return "published" if lessons.publish(cast(Lesson, owner), actor=auth.current_actor()) else "asked"


def unpublish(owner: Owner) -> str:
    """Make a lesson a draft again."""
    with transaction(auth.current_actor()):
        lessons.unpublish(cast(Lesson, owner))
    return "unpublished"


def cancel(owner: Owner) -> str:
    """Give up whatever is on its way; a video that plays stays."""
    direct_upload.cancel_current(owner, actor=auth.current_actor())
    return "cancelled"


def remove(owner: Owner) -> str:
    """Take every video of it away, here at once and at Mux soon after."""
    with transaction(auth.current_actor()):
        removal.remove_video(owner)
    return "removed"


def undo(owner: Owner) -> str:
    """Bring back the video that the present one replaced."""
    with transaction(auth.current_actor()):
        removal.restore_replaced(owner)
    return "undone"


def ask(owner: Owner) -> str:
    """Ask Mux now, when a person does not want to wait."""
    impossible = ask_now.ask_now(owner, actor=auth.current_actor())
    return "asked" if impossible is None else "unasked"


# name, which is also the endpoint and the end of the address -> what it does
SHARED: dict[str, Action] = {"ask": ask, "cancel": cancel, "remove": remove, "undo": undo}
ACTIONS: dict[Kind, dict[str, Action]] = {
    "lesson": {"publish": publish, "unpublish": unpublish, **SHARED},
    "course": SHARED,
}
