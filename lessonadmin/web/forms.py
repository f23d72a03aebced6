"""The forms of lessons and courses, for the pages of instructors and for the support panel.

Everything that is wrong is said at once, in the order of the fields, and what was typed is kept. A field that a request
does not have keeps the value that is stored. The rules are the domain's; nothing is stored here.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Self, TypeVar

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField, ValidationError
from wtforms.form import BaseForm
from wtforms.utils import unset_value

from lessonadmin.domain import prices, school_time
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import course_lists, courses, lessons
from lessonadmin.domain.lessons.lessons import UNSET, Changes
from lessonadmin.domain.models import Course, Lesson, Owner
from lessonadmin.domain.videos import wording
from lessonadmin.text.ids import as_id

VERSION = re.compile(r"\d{1,9}")
TIMES = ("publish_not_before", "unpublish_at")
Sent = MultiDict[str, str]
Checked = TypeVar("Checked")


def checked(check: Callable[..., Checked], *values: Any) -> Checked:
    """What a rule of the domain answers; its refusal is the error of the field that is validated."""
    try:
        return check(*values)
    except Invalid as problem:
        raise ValidationError(problem.message) from problem


def with_plain_line_ends(text: str) -> str:
    """Browsers send line ends as CR LF; they are stored as they were typed."""
    return text.replace("\r\n", "\n")


class PriceField(StringField):
    """A price as people write it; `cents` is there once it is validated."""

    cents = 0

    def pre_validate(self, form: BaseForm) -> None:
        self.cents = checked(prices.parse_price, self.data)


class PriceOrFreeField(PriceField):
    """A price, or the choice “Free” beside it; one of them has to be chosen. A request that has neither keeps what is stored."""

    def pre_validate(self, form: BaseForm) -> None:
        free, typed = form["free"].data, (self.data or "").strip()
        if typed:
            super().pre_validate(form)
            if free and self.cents:
                raise ValidationError("Enter a price or choose “Free”, not both.")
        elif free or not self.raw_data:
            self.cents = 0
        else:
            raise ValidationError("Enter a price, or choose “Free”.")


class FreeField(BooleanField):
    """A box that is not ticked sends nothing: whether it was in the request at all is told by the price beside it."""

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        sent = bool(formdata) and ("price" in formdata or self.name in formdata)
        super().process(formdata if sent else None, data, extra_filters)


class PageField(HiddenField):
    """Which open page sends the form; None if a request names none."""

    data: Any

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = as_id(valuelist[0]) if valuelist else None


class CourseField(StringField):
    """The id of a course, or nothing; `course_id` is there once it is validated."""

    course_id: uuid.UUID | None = None

    def pre_validate(self, form: BaseForm) -> None:
        self.course_id = checked(course_lists.chosen, self.data)


class MomentField(StringField):
    """A day and time in the school's time zone, or nothing; `moment` is there once it is validated."""

    moment: datetime | None = None

    def pre_validate(self, form: BaseForm) -> None:
        self.moment = checked(school_time.read, self.name, self.data)


class VersionField(HiddenField):
    """The version of the row that the form was made from; None if a request names none, and nothing is then compared."""

    data: Any

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = int(text) if VERSION.fullmatch(text) else None


class OwnerForm(Form):
    """What lessons and courses have in common."""

    title = StringField("Title", default="")
    description = TextAreaField("Description", default="", filters=[with_plain_line_ends])
    version = VersionField()

    @classmethod
    def of(cls, owner: Any, sent: Sent | None = None) -> Self:
        """The form of a stored lesson or course, with what a request changed in it."""
        return cls(sent, data=cls.stored(owner))

    @classmethod
    def stored(cls, owner: Any) -> dict[str, object]:
        return {"title": owner.title, "description": owner.description, "version": owner.version}

    def texts(self) -> dict[str, str]:
        """What is typed, field by field, so that it can be compared with what is stored."""
        return {"title": (self.title.data or "").strip(), "description": self.description.data or ""}

    def take(self, name: str, other: Self) -> None:
        """What another form has in this field."""
        self[name].data = other[name].data

    def validate_title(self, field: StringField) -> None:
        checked(lessons.check_texts, field.data, UNSET)

    def validate_description(self, field: StringField) -> None:
        checked(lessons.check_texts, UNSET, field.data)

    def changes(self) -> Changes:
        """What is to be changed, or Invalid with everything that is wrong."""
        if not self.validate():
            fields = {name: str(errors[0]) for name, errors in self.errors.items()}  # type: ignore[index]  # no form stands in this one
            raise Invalid("invalid_input", next(iter(fields.values())), fields=fields)
        return Changes(**self.wanted())

    def wanted(self) -> dict[str, Any]:
        return {"title": self.title.data, "description": self.description.data}


class CourseForm(OwnerForm):
    """A course, for its instructor."""

    language = StringField("Language", default="")

    @staticmethod
    def languages() -> list[tuple[str, str]]:
        """What can be chosen; the first says that there is none."""
        return [("", "Not chosen: Mux detects it"), *wording.languages_by_name()]

    @property
    def language_shown(self) -> str:
        """By its name, so far as it is one."""
        code = self.language.data or ""
        return dict(self.languages()).get(code, code)

    @classmethod
    def stored(cls, owner: Course) -> dict[str, object]:
        return super().stored(owner) | {"language": owner.language or ""}

    def texts(self) -> dict[str, str]:
        return super().texts() | {"language": self.language.data or ""}

    def validate_language(self, field: StringField) -> None:
        checked(courses.spoken, field.data)

    def wanted(self) -> dict[str, Any]:
        return super().wanted() | {"language": self.language.data}


class PanelCourseForm(CourseForm):
    """A course, for support, who may also give it to another instructor."""

    teacher = StringField("Teacher")

    @classmethod
    def stored(cls, owner: Course) -> dict[str, object]:
        return super().stored(owner) | {"teacher": owner.instructor.email}


class LessonForm(OwnerForm):
    """A lesson, for support."""

    price = PriceField("Price", default=prices.price_text(0))
    course_id = CourseField("Course", default="")

    @classmethod
    def stored(cls, owner: Lesson) -> dict[str, object]:
        price = prices.price_text(owner.price_cents)
        return super().stored(owner) | {"price": price, "course_id": str(owner.course_id or "")}

    def wanted(self) -> dict[str, Any]:
        return super().wanted() | {"price_cents": self.price.cents, "course_id": self.course_id.course_id}


class InstructorLessonForm(LessonForm):
    """A lesson, for its instructor, who also chooses whether it is published when its video is ready.

    What ends in `_was` is what the form showed: only another status and other times are asked for, so that saving a title
    publishes nothing, and takes back no time that another page has set meanwhile.
    """

    price = PriceOrFreeField("Price", default="")
    free = FreeField("Free", default=False)
    course_id = CourseField(
        "Course", default=""
    )  # again, since what is wrong is said in the order of the fields
    status = StringField(default="published")
    status_was = HiddenField(default="")
    publish_not_before = MomentField("Not before", default="")
    publish_not_before_was = HiddenField(default="")
    unpublish_at = MomentField("Unpublish at", default="")
    unpublish_at_was = HiddenField(default="")
    page_id = PageField()
    # the video whose upload needs the lesson before its form was sent by a person
    file_name = HiddenField(default="")

    @classmethod
    def stored(cls, owner: Lesson) -> dict[str, object]:
        status = "published" if owner.status == "published" or owner.publish_on_ready else "draft"
        free = owner.price_cents == 0
        shown = {"status": status, "status_was": status, "free": free} | ({"price": ""} if free else {})
        for name in TIMES:
            shown[name] = shown[f"{name}_was"] = school_time.for_form(getattr(owner, name))
        if owner.is_unsaved:  # nothing of it was chosen yet
            shown |= {"status": "published", "status_was": "", "free": False}
        if owner.is_untitled:
            shown["title"] = ""
        return super().stored(owner) | shown

    def texts(self) -> dict[str, str]:
        typed = (self.price.data or "").strip()
        with suppress(Invalid):
            typed = prices.price_text(prices.parse_price(typed))
        price = prices.money(0) if self.free.data and not typed else typed
        return super().texts() | {"price": price, "course_id": self.course_id.data or ""}

    def take(self, name: str, other: Self) -> None:
        super().take(name, other)
        if name == "price":
            self.free.data = other.free.data

    @property
    def lacks_only_what_is_not_typed_yet(self) -> bool:
        """Its title or price: once it is validated, nothing else is wrong."""
        wrong = set(self.errors)
        return wrong <= {"title", "price"} and not any((self[str(name)].data or "").strip() for name in wrong)

    def so_far(self) -> Changes:
        """What a lesson is begun with."""
        return Changes(**LessonForm.wanted(self))

    def validate_status(self, field: StringField) -> None:
        if field.data not in ("published", "draft"):
            raise ValidationError("Choose whether the lesson is published when its video is ready.")

    def wanted(self) -> dict[str, Any]:
        same = not self.status.raw_data or self.status.data == self.status_was.data
        return super().wanted() | {"status": UNSET if same else self.status.data} | self._times()

    def _times(self) -> dict[str, datetime | None]:
        """Those that were changed; a lesson that is kept as a draft has none, whatever its closed fields still hold."""
        if self.status.raw_data and self.status.data == "draft":
            return {}
        shown = (
            (self.publish_not_before, self.publish_not_before_was),
            (self.unpublish_at, self.unpublish_at_was),
        )
        return {str(at.name): at.moment for at, was in shown if at.raw_data and at.data != was.data}


def panel_form(owner: Owner, sent: Sent | None = None) -> LessonForm | PanelCourseForm:
    """What support may edit of this lesson or course."""
    return LessonForm.of(owner, sent) if isinstance(owner, Lesson) else PanelCourseForm.of(owner, sent)
