"""The lesson form: from typed text to what somebody wants, and back to typed text when something is wrong.

Everything that is wrong is said at once and what was typed is kept. Nothing is stored here.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain import lessons
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import UNSET, Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.web.formats import money, price_input

PRICE = re.compile(r"(\d{1,9})(?:[.,](\d{1,2}))?")
SIGNS = re.compile(r"[\s€$£\u00a0\u202f]")
PRICE_WANTED = "Enter the price as 9.99, or 0 if the lesson is free."
TOO_DEAR = f"The price can be {money(lessons.HIGHEST_PRICE)} at most."
MOST_COURSES = 500
FIELDS = ("title", "description", "price", "course_id")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it is typed; `status_was` is what the form showed, so that only a change of it is a wish."""

    title: str = ""
    description: str = ""
    price: str = ""
    course_id: str = ""
    status: str = "published"
    status_was: str = ""
    version: int | None = None

    @classmethod
    def of(cls, lesson: Lesson) -> "Typed":
        status = "published" if lesson.status == "published" or lesson.publish_on_ready else "draft"
        return cls(
            title=lesson.title,
            description=lesson.description,
            price=price_input(lesson.price_cents),
            course_id=str(lesson.course_id or ""),
            status=status,
            status_was=status,
            version=lesson.version,
        )

    @classmethod
    def read(cls, form: Mapping[str, str], before: "Typed") -> "Typed":
        """What a browser sent; a field that the form does not have stays as it was."""
        version = form.get("version", "")
        return cls(
            title=form.get("title", before.title),
            # browsers send line ends as CR LF; they are stored as they were typed
            description=form.get("description", before.description).replace("\r\n", "\n"),
            price=form.get("price", before.price),
            course_id=form.get("course_id", before.course_id),
            status=form.get("status", before.status if before.version is not None else "published"),
            status_was=form.get("status_was", ""),
            version=int(version) if re.fullmatch(r"\d{1,9}", version) else None,
        )


def parse_price(text: str) -> int | None:
    """Cents out of `9.99`, `9,99`, `9`, `€ 9.90` and nothing (free); None for nonsense."""
    bare = SIGNS.sub("", text)
    if not bare:
        return 0
    match = PRICE.fullmatch(bare)
    if match is None:
        return None
    whole, part = match.groups()
    return int(whole) * 100 + int((part or "0").ljust(2, "0"))


def changes(typed: Typed) -> Changes:
    """What somebody wants, or Invalid with everything that is wrong, in the order of the form."""
    wrong: dict[str, str] = {}
    cents = parse_price(typed.price)
    if cents is None:
        wrong["price"] = PRICE_WANTED
    elif cents > lessons.HIGHEST_PRICE:
        wrong["price"] = TOO_DEAR
    try:
        lessons.check_texts(typed.title, typed.description)
    except Invalid as problem:
        wrong |= problem.fields or {}
    course_id = _course_id(typed.course_id)
    if course_id is None and typed.course_id:
        wrong["course_id"] = "Choose a course from the list."
    if typed.status not in ("published", "draft"):
        wrong["status"] = "Choose whether the lesson is published when its video is ready."
    if wrong or cents is None:
        raise invalid(wrong)
    return Changes(
        title=typed.title,
        description=typed.description,
        course_id=course_id,
        price_cents=cents,
        status=UNSET if typed.status == typed.status_was else typed.status,  # type: ignore[arg-type]  # checked
    )


def invalid(wrong: dict[str, str]) -> Invalid:
    """One problem for all fields, in the order in which they stand on the page."""
    order = [*FIELDS, "status"]
    fields = {name: wrong[name] for name in sorted(wrong, key=lambda n: order.index(n) if n in order else 99)}
    return Invalid("invalid_input", next(iter(fields.values()), "Please check the form."), fields=fields)


def _course_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def courses_for(user: User, lesson: Lesson | None) -> list[tuple[str, str]]:
    """What the course list offers: the courses of whoever owns the lesson, and the one that it is in."""
    wanted = select(Course.id, Course.title).order_by(Course.title, Course.id).limit(MOST_COURSES)
    owner_id = lesson.creator_id if lesson is not None else user.id
    found = {row.id: row.title for row in db.session.execute(wanted.where(Course.instructor_id == owner_id))}
    if lesson is not None and lesson.course_id is not None and lesson.course_id not in found:
        title = db.session.scalar(select(Course.title).where(Course.id == lesson.course_id))
        found[lesson.course_id] = title or ""
    return [("", "No course"), *((str(key), title) for key, title in found.items())]


def compared(lesson: Lesson, typed: Typed, user: User) -> dict[str, tuple[str, str]]:
    """Each field by its label: as it is stored, and as it is typed."""
    stored = Typed.of(lesson)
    titles = dict(courses_for(user, lesson))
    return {
        "Title": (stored.title, typed.title),
        "Description": (stored.description, typed.description),
        "Price": (stored.price, typed.price),
        "Course": (titles.get(stored.course_id, ""), titles.get(typed.course_id, "")),
    }
