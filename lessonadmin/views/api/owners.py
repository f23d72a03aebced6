"""Whose video a call is about: exactly one lesson or course must be named."""

from lessonadmin import auth
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import Owner
from lessonadmin.views.api.requests import OwnerNamed

ONE_OF_THEM = "Name a lesson_id or a course_id, and only one of them."


def _check(named: OwnerNamed) -> None:
    if (named.lesson_id is None) == (named.course_id is None):
        raise Invalid(
            "invalid_input", ONE_OF_THEM, fields=dict.fromkeys(("lesson_id", "course_id"), ONE_OF_THEM)
        )


def to_change(named: OwnerNamed) -> Owner:
    _check(named)
    return permissions.owner_to_change(
        auth.current_user(), lesson_id=named.lesson_id, course_id=named.course_id
    )


def to_see(named: OwnerNamed) -> Owner:
    _check(named)
    user = auth.current_user()
    if named.lesson_id is not None:
        return permissions.lesson_to_see(user, named.lesson_id)
    if named.course_id is not None:
        return permissions.course_to_see(user, named.course_id)
    raise AssertionError("one of them is named")
