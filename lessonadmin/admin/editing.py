"""What staff may edit of a lesson (title, description, price, course) and of a course (title, description, teacher).

Everything goes through the domain, with its audit row and its check of versions; a field that is not in the form is
never looked at.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import select

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import course_teacher, courses, lessons, pictures, playback
from lessonadmin.domain.desks import Owner
from lessonadmin.domain.errors import Invalid, Problem
from lessonadmin.domain.lessons import Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.web.formats import price_input

MOST_COURSES = 500
PRICE = re.compile(r"\d{1,7}([.,]\d{1,2})?")


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
    version = form.get("version", "")
    return Typed(
        title=form.get("title", before.title),
        description=form.get("description", before.description).replace("\r\n", "\n"),
        price=form.get("price", before.price),
        course_id=form.get("course_id", before.course_id),
        teacher=form.get("teacher", before.teacher),
        version=int(version) if re.fullmatch(r"[0-9]{1,9}", version) else None,
    )


def save(user: User, owner: Owner, typed: Typed) -> None:
    """In the open transaction; raises Invalid with all that is wrong, or Conflict if somebody was first."""
    if isinstance(owner, Lesson):
        cents, course_id = _cents(typed.price), _course_id(typed.course_id)
        changes = Changes(
            title=typed.title, description=typed.description, price_cents=cents, course_id=course_id
        )
        try:
            lessons.edit(user, owner.id, changes, version=typed.version)
        except Invalid as problem:
            raise _by_field(problem) from problem
        return
    courses.edit(
        user, owner.id, Changes(title=typed.title, description=typed.description), version=typed.version
    )
    course_teacher.give(user, owner.id, to_email=typed.teacher)


def _by_field(problem: Invalid) -> Invalid:
    fields = {
        "price" if name == "price_cents" else name: words for name, words in (problem.fields or {}).items()
    }
    return Invalid(problem.type, problem.message, fields=fields)


def _cents(text: str) -> int:
    bare = re.sub(r"[\s€$£]", "", text) or "0"
    try:
        if not PRICE.fullmatch(bare):
            raise InvalidOperation
        return int(Decimal(bare.replace(",", ".")) * 100)
    except InvalidOperation:
        raise Invalid.field("price", "Enter the price as 9.99, or 0 if the lesson is free.") from None


def _course_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise Invalid.field("course_id", "Choose a course from the list.") from None


def courses_for(owner: Owner) -> list[tuple[str, str]]:
    """Courses of the lesson's teacher, and the one that it is in."""
    if not isinstance(owner, Lesson):
        return []
    theirs = (
        select(Course.id, Course.title)
        .where(Course.instructor_id == owner.creator_id)
        .order_by(Course.title, Course.id)
        .limit(MOST_COURSES)
    )
    found = {row[0]: row[1] for row in db.session.execute(theirs)}
    if owner.course is not None:
        found.setdefault(owner.course.id, owner.course.title)
    return [("", "No course"), *((str(key), title) for key, title in found.items())]


@dataclass(frozen=True)
class Player:
    """What <mux-player> is told."""

    src: str
    playback_id: str
    poster: str | None
    storyboard: str
    env_key: str | None


def player_of(owner: Owner) -> Player | None:
    """None while nothing plays."""
    try:
        source = playback.source(owner)
    except Problem:
        return None
    return Player(
        source.src,
        source.playback_id,
        pictures.thumbnail(owner, width=960, height=540),
        pictures.storyboard(source),
        config.current().mux_env_key,
    )
