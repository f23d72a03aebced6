"""The lesson form: from typed text to what somebody wants, and back to typed text when something is wrong.

Everything that is wrong is said at once and what was typed is kept. Nothing is stored here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lessonadmin.domain import course_lists, lessons, prices
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import UNSET, Changes
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.prices import price_input
from lessonadmin.web import fields

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
        return cls(
            title=form.get("title", before.title),
            description=fields.long_text(form, "description", before.description),
            price=form.get("price", before.price),
            course_id=form.get("course_id", before.course_id),
            status=form.get("status", before.status if before.version is not None else "published"),
            status_was=form.get("status_was", ""),
            version=fields.version(form),
        )


def changes(typed: Typed) -> Changes:
    """What somebody wants, or Invalid with everything that is wrong, in the order of the form."""
    wrong: dict[str, str] = {}
    with _noted(wrong):
        lessons.check_texts(typed.title, typed.description)
    with _noted(wrong):
        price_cents = prices.read(typed.price)
    with _noted(wrong):
        course_id = course_lists.chosen(typed.course_id)
    if typed.status not in ("published", "draft"):
        wrong["status"] = "Choose whether the lesson is published when its video is ready."
    if wrong:
        raise _invalid(wrong)
    return Changes(
        title=typed.title,
        description=typed.description,
        course_id=course_id,
        price_cents=price_cents,
        status=UNSET if typed.status == typed.status_was else typed.status,  # type: ignore[arg-type]  # checked
    )


@contextmanager
def _noted(wrong: dict[str, str]) -> Iterator[None]:
    """One thing that is wrong does not hide the next."""
    try:
        yield
    except Invalid as problem:
        wrong |= problem.fields or {}


def _invalid(wrong: dict[str, str]) -> Invalid:
    """One problem for all fields, in the order in which they stand on the page."""
    order = [*FIELDS, "status"]
    fields = {name: wrong[name] for name in sorted(wrong, key=lambda n: order.index(n) if n in order else 99)}
    return Invalid("invalid_input", next(iter(fields.values()), "Please check the form."), fields=fields)


def compared(lesson: Lesson, typed: Typed) -> dict[str, tuple[str, str]]:
    """Each field by its label: as it is stored, and as it is typed."""
    stored = Typed.of(lesson)
    titles = dict(course_lists.offered(lesson.creator_id, lesson))
    return {
        "Title": (stored.title, typed.title),
        "Description": (stored.description, typed.description),
        "Price": (stored.price, typed.price),
        "Course": (titles.get(stored.course_id, ""), titles.get(typed.course_id, "")),
    }
