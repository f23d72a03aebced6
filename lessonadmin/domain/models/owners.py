"""Lesson or course: both own videos, and these tables tell what differs, so that nobody has to ask "if lesson, else"."""

from typing import Any

from lessonadmin.domain.models.content import Course, Kind, Lesson
from lessonadmin.domain.models.video import Tracking

MODELS: dict[Kind, type[Any]] = {"lesson": Lesson, "course": Course}
# Which column of an upload names its owner.
COLUMNS: dict[Kind, Any] = {"lesson": Tracking.lesson_id, "course": Tracking.course_id}
