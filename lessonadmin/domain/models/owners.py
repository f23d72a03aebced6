"""Lesson or course: both own videos. What differs is looked up here by kind, instead of being asked in every place."""

from typing import Any

from lessonadmin.domain.models.lessons import Course, Kind, Lesson
from lessonadmin.domain.models.videos import Tracking

MODELS: dict[Kind, type[Any]] = {"lesson": Lesson, "course": Course}
# Which column of an upload names its owner.
COLUMNS: dict[Kind, Any] = {"lesson": Tracking.lesson_id, "course": Tracking.course_id}
