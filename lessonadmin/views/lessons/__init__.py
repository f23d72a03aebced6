"""The lessons of whoever teaches, as pages: the list, the form, the state of the video, and what may be done with them.

What an action means is decided in the domain; which lesson somebody may change, too. Each page answers twice: whole, and
as the fragment that an open page asks for.
"""

import uuid

from flask import Blueprint

from lessonadmin import auth
from lessonadmin.domain import access
from lessonadmin.domain.models import Lesson

bp = Blueprint("lessons", __name__, url_prefix="/lessons")


def mine(lesson_id: uuid.UUID) -> Lesson:
    """A lesson that whoever is signed in may change; foreign and missing are the same 404."""
    return access.lesson_to_change(auth.current_user(), lesson_id)


from lessonadmin.views.lessons import editing, overview, video  # noqa: E402, F401 - they add their routes
