"""The blueprint of the pages about courses, and the course that an address names."""

import uuid

from flask import Blueprint

from lessonadmin import auth
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Course

bp = Blueprint("courses", __name__, url_prefix="/courses")


def course_to_change(course_id: uuid.UUID) -> Course:
    """A course that the signed-in user may change; foreign and missing are the same 404."""
    return permissions.course_to_change(auth.current_user(), course_id)
