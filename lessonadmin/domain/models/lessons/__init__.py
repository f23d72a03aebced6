"""Lessons and courses, and what belongs to them, one file a subject."""

from lessonadmin.domain.models.lessons.files import LessonFile, LessonFilePart
from lessonadmin.domain.models.lessons.lessons import (
    LESSON_STATUSES,
    OPEN,
    OPEN_STATUSES,
    UNTAKEN_COURSE,
    UNTAKEN_LESSON,
    VIDEO_STATUSES,
    Course,
    EditingHold,
    Kind,
    Lesson,
    Owner,
    Purchase,
    StaffNote,
    in_open_state,
)
from lessonadmin.domain.models.lessons.preview_links import PreviewLink
from lessonadmin.domain.models.lessons.progress import LessonProgress
from lessonadmin.domain.models.lessons.sections import CourseSection
from lessonadmin.domain.models.lessons.transcripts import Transcript

__all__ = [
    "LESSON_STATUSES",
    "OPEN",
    "OPEN_STATUSES",
    "UNTAKEN_COURSE",
    "UNTAKEN_LESSON",
    "VIDEO_STATUSES",
    "Course",
    "CourseSection",
    "EditingHold",
    "Kind",
    "Lesson",
    "LessonFile",
    "LessonFilePart",
    "LessonProgress",
    "Owner",
    "PreviewLink",
    "Purchase",
    "StaffNote",
    "Transcript",
    "in_open_state",
]
