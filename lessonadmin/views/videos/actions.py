"""What a person may do about a video from a page, the same for lessons and course previews.

Each takes an owner that this person may change and returns the word for which `templates/video/answers.html` has the answer.
"""

import uuid
from collections.abc import Callable
from typing import cast

from flask import request

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.captions import asking
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.lessons import lessons, pictures
from lessonadmin.domain.models import Kind, Lesson, Owner
from lessonadmin.domain.polling import ask_now
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import removal, restoring
from lessonadmin.text.ids import as_id

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
    """Take every video of it away; it can be restored for the grace time. A lesson that was bought wants its number of
    buyers typed."""
    typed = request.form.get("typed", "").strip()
    known = int(typed) if typed.isdecimal() and len(typed) < 10 else None
    with transaction(auth.current_actor()):
        removal.remove_video(owner, known_buyers=known)
    return "removed"


def restore(owner: Owner) -> str:
    """Bring the removed video back."""
    with transaction(auth.current_actor()):
        restoring.restore_removed(owner)
    return "restored"


def undo(owner: Owner) -> str:
    """Bring back the video that the present one replaced."""
    with transaction(auth.current_actor()):
        removal.restore_replaced(owner)
    return "undone"


def ask(owner: Owner) -> str:
    """Ask Mux now, when a person does not want to wait."""
    impossible = ask_now.ask_now(owner, actor=auth.current_actor())
    return "asked" if impossible is None else "unasked"


def picture(owner: Owner) -> str:
    """Its picture is the moment that is named; none: Mux chooses."""
    typed = request.form.get("seconds", "").strip()
    seconds = pictures.read_moment(typed) if typed else None
    with transaction(auth.current_actor()):
        pictures.choose(owner, seconds)
    return "pictured" if typed else "unpictured"


def make_captions(owner: Owner) -> str:
    """Have Mux make captions of its video, in the language that is named."""
    with transaction(auth.current_actor()):
        asking.make(owner, request.form.get("language", ""))
    return "captions_asked"


def add_captions(owner: Owner) -> str:
    """Take captions that a person wrote."""
    chosen = request.files.get("captions")
    if chosen is None or not chosen.filename:
        raise Invalid.field("captions", "Choose a file with captions first.")
    with transaction(auth.current_actor()):
        asking.add_own(
            owner,
            language=request.form.get("language", ""),
            label=request.form.get("label", ""),
            data=chosen.stream.read(),
        )
    return "captions_added"


def remove_captions(owner: Owner) -> str:
    """Take one track of captions away."""
    with transaction(auth.current_actor()):
        asking.remove(owner, _track())
    return "captions_removed"


def check_captions(owner: Owner) -> str:
    """A person has read these captions, or takes that back."""
    checked = request.form.get("checked") == "1"
    with transaction(auth.current_actor()):
        asking.mark_checked(owner, _track(), checked=checked)
    return "captions_checked" if checked else "captions_unchecked"


def _track() -> uuid.UUID:
    found = as_id(request.form.get("track", ""))
    if found is None:
        raise Missing()
    return found


# name, which is also the endpoint and the end of the address -> what it does
SHARED: dict[str, Action] = {
    "ask": ask,
    "cancel": cancel,
    "remove": remove,
    "restore": restore,
    "undo": undo,
    "picture": picture,
    "make_captions": make_captions,
    "add_captions": add_captions,
    "remove_captions": remove_captions,
    "check_captions": check_captions,
}
ACTIONS: dict[Kind, dict[str, Action]] = {
    "lesson": {"publish": publish, "unpublish": unpublish, **SHARED},
    "course": SHARED,
}
