"""Row-level security: which rows of which table a user's statements may see and change. PostgreSQL holds these rules.

They say again, as the second wall, what `permissions` says first: instructors have their own lessons, courses,
uploads and captions, and what was bought and watched of these lessons; every user has what is on sale and what they bought, as long as that is
not revoked. Staff and the installation itself see everything
(`lessonadmin.database.row_access`). A policy may be looser than `permissions`, never stricter: what it hides is missing, without a word.
The release command puts them into the database (`lessonadmin.database.database_roles`).
"""

from typing import Any

from sqlalchemy import ColumnElement, Uuid, and_, false, literal_column, select
from sqlalchemy.dialects import postgresql

from lessonadmin.database.database_roles import Command, Policy
from lessonadmin.domain import permissions
from lessonadmin.domain.models import (
    CaptionTrack,
    Course,
    CourseSection,
    DaySum,
    Lesson,
    LessonFile,
    LessonFilePart,
    LessonProgress,
    LessonSum,
    LessonView,
    Notification,
    PreviewLink,
    Purchase,
    Tracking,
    Transcript,
)

# In a subquery it is asked once a statement and not once a row, so that an index can answer. Empty is no user.
ME: ColumnElement[Any] = literal_column(
    "(SELECT nullif(current_setting('lessonadmin.user_id', true), '')::uuid)", Uuid
)
COURSE: ColumnElement[Any] = literal_column("courses.id", Uuid)  # of the row that is asked about
SECTION: ColumnElement[Any] = literal_column("course_sections.id", Uuid)


def policies() -> list[Policy]:
    """All that let a user see or change rows; a table that is not named here has none."""
    return [*_of_lessons_and_courses(), *_of_what_belongs_to_lessons(), *_of_people()]


def _of_lessons_and_courses() -> list[Policy]:
    bought = Lesson.id.in_(select(Purchase.lesson_id).where(Purchase.user_id == ME, Purchase.is_in_force))
    # with the policies of lessons inside it: those that this user sees
    has_visible = select(Lesson.id).where(Lesson.course_id == COURSE).exists()
    section_has_visible = select(Lesson.id).where(Lesson.section_id == SECTION).exists()
    own_courses = select(Course.id).where(Course.instructor_id == ME)
    return [
        _policy(Lesson, "own", "ALL", Lesson.creator_id == ME),
        _policy(Lesson, "on_sale", "SELECT", and_(ME.is_not(None), permissions.on_sale())),  # for users alone
        _policy(Lesson, "bought", "SELECT", bought),
        _policy(Course, "own", "ALL", Course.instructor_id == ME),
        _policy(Course, "of_visible_lessons", "SELECT", has_visible),
        _policy(CourseSection, "of_own_courses", "ALL", CourseSection.course_id.in_(own_courses)),
        _policy(CourseSection, "of_visible_lessons", "SELECT", section_has_visible),
    ]


def _of_what_belongs_to_lessons() -> list[Policy]:
    own = select(Lesson.id).where(Lesson.creator_id == ME)
    free = select(Lesson.id).where(ME.is_not(None), permissions.on_sale(), Lesson.price_cents == 0)
    bought = select(Purchase.lesson_id).where(Purchase.user_id == ME, Purchase.is_in_force)
    uploads = select(Tracking.id).where(Tracking.owner_id == ME)
    files = (
        select(LessonFile.id).join(Lesson, Lesson.id == LessonFile.lesson_id).where(Lesson.creator_id == ME)
    )
    return [
        _policy(Tracking, "own", "ALL", Tracking.owner_id == ME),
        _policy(CaptionTrack, "of_own_uploads", "ALL", CaptionTrack.tracking_id.in_(uploads)),
        _policy(LessonView, "of_own_lessons", "SELECT", LessonView.owner_id == ME),
        # of the whole school, which staff alone see
        _policy(LessonSum, "of_no_user", "SELECT", false()),
        _policy(DaySum, "of_no_user", "SELECT", false()),
        _policy(LessonFile, "of_own_lessons", "ALL", LessonFile.lesson_id.in_(own)),
        # only who may play a lesson reads what is said in it
        _policy(Transcript, "of_own_lessons", "ALL", Transcript.lesson_id.in_(own)),
        _policy(Transcript, "of_free_lessons", "SELECT", Transcript.lesson_id.in_(free)),
        _policy(Transcript, "of_bought_lessons", "SELECT", Transcript.lesson_id.in_(bought)),
        # with the policies of lessons inside it: those that this user sees
        _policy(LessonFile, "of_visible_lessons", "SELECT", LessonFile.lesson_id.in_(select(Lesson.id))),
        _policy(LessonFilePart, "of_own_lessons", "ALL", LessonFilePart.file_id.in_(files)),
        _policy(PreviewLink, "of_own_lessons", "ALL", PreviewLink.lesson_id.in_(own)),
    ]


def _of_people() -> list[Policy]:
    return [
        _policy(LessonProgress, "own", "ALL", LessonProgress.user_id == ME),
        _policy(Notification, "own", "ALL", Notification.user_id == ME),
        _policy(Purchase, "own", "SELECT", Purchase.user_id == ME),
        _policy(Purchase, "make", "INSERT", Purchase.user_id == ME),
        _policy(Purchase, "of_own_lessons", "SELECT", Purchase.owner_id == ME),
    ]


def _policy(model: Any, name: str, command: Command, condition: ColumnElement[bool]) -> Policy:
    # not psycopg's, which doubles each % for its placeholders
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # the package's own
    words = condition.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return Policy(model.__tablename__, name, command, str(words))
