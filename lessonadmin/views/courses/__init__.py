"""Courses of whoever teaches, as pages: the list, the form, the order of the lessons, the preview video.

What an action means is decided in the domain; which course somebody may change, too. The preview is the same piece of
page as a lesson's video.
"""

import uuid

from flask import Blueprint

from lessonadmin import auth
from lessonadmin.domain import access
from lessonadmin.domain.models import Course

bp = Blueprint("courses", __name__, url_prefix="/courses")


def mine(course_id: uuid.UUID) -> Course:
    """A course that whoever is signed in may change; foreign and missing are the same 404."""
    return access.course_to_change(auth.current_user(), course_id)


from lessonadmin.views.courses import editing, ordering, overview, preview  # noqa: E402, F401 - they add their routes
