"""The blueprint of the pages about lessons, and the lesson that an address names."""

import uuid

from flask import Blueprint

from lessonadmin import auth
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Lesson

bp = Blueprint("lessons", __name__, url_prefix="/lessons")


def lesson_to_change(lesson_id: uuid.UUID) -> Lesson:
    """A lesson that the signed-in user may change; foreign and missing are the same 404."""
    return permissions.lesson_to_change(auth.current_user(), lesson_id)
