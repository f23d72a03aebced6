"""What staff may edit of a lesson (title, description, price, course) and of a course (title, description, teacher).

Everything goes through the domain, with its audit row and its check of versions; a field that is not in the form is
never looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lessonadmin.domain import course_lists, course_teacher, courses, lessons, prices
from lessonadmin.domain.lessons import Changes
from lessonadmin.domain.models import Lesson, Owner, User
from lessonadmin.domain.prices import price_input
from lessonadmin.web import fields


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it is typed."""

    title: str
    description: str
    price: str = ""
    course_id: str = ""
    teacher: str = ""
    version: int | None = None


def typed_of(owner: Owner) -> Typed:
    if isinstance(owner, Lesson):
        return Typed(
            title=owner.title,
            description=owner.description,
            price=price_input(owner.price_cents),
            course_id=str(owner.course_id or ""),
            version=owner.version,
        )
    teacher = owner.instructor.email
    return Typed(title=owner.title, description=owner.description, teacher=teacher, version=owner.version)


def read(form: Mapping[str, str], before: Typed) -> Typed:
    """What a browser sent; a field that is missing stays as it was."""
    return Typed(
        title=form.get("title", before.title),
        description=fields.long_text(form, "description", before.description),
        price=form.get("price", before.price),
        course_id=form.get("course_id", before.course_id),
        teacher=form.get("teacher", before.teacher),
        version=fields.version(form),
    )


def save(user: User, owner: Owner, typed: Typed) -> None:
    """In the open transaction; raises Invalid for what is wrong, or Conflict if there is a newer version."""
    if isinstance(owner, Lesson):
        changes = Changes(
            title=typed.title,
            description=typed.description,
            price_cents=prices.read(typed.price),
            course_id=course_lists.chosen(typed.course_id),
        )
        lessons.edit(user, owner.id, changes, version=typed.version)
        return
    courses.edit(
        user, owner.id, Changes(title=typed.title, description=typed.description), version=typed.version
    )
    course_teacher.give(user, owner.id, to_email=typed.teacher)
