"""The lists of lessons and courses: where their videos stand, whose they are, and what can be done with many of them."""

from collections.abc import Sequence
from typing import Any

from flask import g
from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import cell
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.admin.pages.lesson_page import CasePages, NotedPages
from lessonadmin.domain import thumbnails
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.domain.prices import money, price_text
from lessonadmin.domain.querying import full_text
from lessonadmin.domain.support import lookup
from lessonadmin.domain.videos import conditions, video_status, wording
from lessonadmin.web import headers

VIDEO_STATES = (
    ("none", "No video"),
    ("uploading", "Uploading"),
    ("processing", "Processing"),
    ("ready", "Ready"),
    ("error", "Failed"),
    ("deleting", "Deleting"),
)
PUBLICATION = (("draft", "Draft"), ("published", "Published"))
POLICIES = (("public", "Public"), ("signed", "Signed"))
ERRORS = tuple((name, name.replace("_", " ").capitalize()) for name in wording.WHAT_FAILED)
THUMB = {"width": 128, "height": 72}


class OwnerList(TableView):
    """What lessons and courses have in common: a video, an owner, words to be found by."""

    offers = frozenset({"details_view", "edit_view", "action_view", "export"})
    search_hint = "Title, upload, asset or playback id, e-mail"
    searches_words = True

    def exact_ids(self, text: str) -> list[Any]:
        raise NotImplementedError

    @property
    def owner_column(self) -> Any:
        raise NotImplementedError

    def found(self, text: str) -> ColumnElement[bool] | None:
        exact = self.exact_ids(text)
        if exact:
            found: ColumnElement[bool] = self.model.id.in_(exact)
            return found
        like = full_text.matches(self.model.search, text)
        if "@" in text and like is not None and (people := filters.people(text)):
            return or_(like, self.owner_column.in_(people))
        return like

    def prepare(self, rows: Sequence[Any]) -> None:
        headers.shows_pictures()
        g.standing = video_status.of_many(rows)

    def _loading(self, relation: Any) -> Any:
        if relation.key == "course":
            return joinedload(relation).load_only(Course.title)
        return joinedload(relation).load_only(User.email, User.name)


def _title(view: Any, _context: Any, row: Any, _name: str) -> Any:
    href = cells.page_of(view, row)
    return cell("titled", row.title, href, thumbnails.thumbnail(row, **THUMB) or "", picture=view.icon)


def _video(_view: Any, _context: Any, row: Any, _name: str) -> Any:
    seen = g.standing.get(row.id)
    why = row.video_error_type if row.video_processing_status == "error" else None
    return cell(
        "video_state",
        row.video_processing_status,
        bool(seen and seen.stuck),
        seen.progress if seen else None,
        why.replace("_", " ") if why else "",
    )


def _publication(_view: Any, _context: Any, row: Any, _name: str) -> Any:
    return cell("lesson_state", row.status, row.publish_on_ready)


class LessonView(NotedPages, ActsOnRows, OwnerList):
    room, icon, target = "lesson", "lesson", "lesson"
    column_list = ("title", "creator", "course", "status", "video_processing_status", "price_cents", "created_at", "updated_at")  # fmt: skip
    column_labels = {
        "title": "Lesson",
        "creator": "Owner",
        "status": "State",
        "video_processing_status": "Video",
        "price_cents": "Price",
        "created_at": "Made",
        "updated_at": "Last news",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "video_error_type": "Error",
        "video_error_message": "Error message",
    }
    column_sortable_list = ("title", "price_cents", "created_at", "updated_at")
    column_formatters = {
        "title": _title,
        "creator": lambda _v, _c, row, _n: cells.person(row.creator),
        "course": lambda _v, _c, row, _n: cell("linked", row.course.title if row.course else "", cells.link_to("course", row.course_id)),
        "status": _publication,
        "video_processing_status": _video,
        "price_cents": lambda _v, _c, row, _n: money(row.price_cents),
    }  # fmt: skip
    column_export_list = (
        "id", "title", "creator", "course", "status", "publish_on_ready", "video_processing_status", "video_error_type",
        "video_error_message", "playback_policy", "mux_asset_id", "mux_playback_id", "price_cents", "published_at", "created_at", "updated_at",
    )  # fmt: skip
    column_formatters_export = {
        "creator": lambda _v, _c, row, _n: row.creator.email if row.creator else "",
        "price_cents": lambda _v, _c, row, _n: price_text(row.price_cents),
    }
    column_filters = (
        *filters.choice("State", Lesson.status, PUBLICATION),
        *filters.choice("Video", Lesson.video_processing_status, VIDEO_STATES),
        *filters.person("Owner", Lesson.creator_id),
        *filters.course("Course", Lesson.course_id),
        *filters.flag(
            "Stuck", lambda: conditions.stuck(Lesson), counted_as=lambda: conditions.stuck_ids(Lesson)
        ),
        *filters.only("Error type", Lesson.video_error_type, ERRORS),
        *filters.flag("Temporary id", conditions.temporary_ids),
        *filters.only("Playback policy", Lesson.playback_policy, POLICIES),
        *filters.day("Made", Lesson.created_at),
        *filters.day("Last news", Lesson.updated_at),
        *filters.price("Price", Lesson.price_cents),
    )
    saved_views = (
        SavedView(
            "stuck",
            "Stuck",
            lambda: conditions.stuck(Lesson),
            counted_as=lambda: conditions.stuck_ids(Lesson),
        ),
        SavedView("failed-today", "Failed today", lambda: conditions.failed_today(Lesson)),
        SavedView("needs-attention", "Needs attention", conditions.needs_attention),
        SavedView("temporary-ids", "Temporary ids", conditions.temporary_ids),
    )

    def exact_ids(self, text: str) -> list[Any]:
        return lookup.lesson_ids(text)

    @property
    def owner_column(self) -> Any:
        return Lesson.creator_id


class CourseView(CasePages, ActsOnRows, OwnerList):
    room, icon, target = "course", "course", "course"
    column_list = ("title", "instructor", "video_processing_status", "created_at", "updated_at")
    column_labels = {
        "title": "Course",
        "instructor": "Teacher",
        "video_processing_status": "Preview video",
        "created_at": "Made",
        "updated_at": "Last news",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "video_error_type": "Error",
    }
    column_sortable_list = ("title", "created_at")
    column_formatters = {
        "title": _title,
        "instructor": lambda _v, _c, row, _n: cells.person(row.instructor),
        "video_processing_status": _video,
    }
    column_export_list = (
        "id", "title", "instructor", "video_processing_status", "video_error_type", "playback_policy",
        "mux_asset_id", "mux_playback_id", "created_at", "updated_at",
    )  # fmt: skip
    column_formatters_export = {
        "instructor": lambda _v, _c, row, _n: row.instructor.email if row.instructor else "",
    }
    column_filters = (
        *filters.choice("Preview video", Course.video_processing_status, VIDEO_STATES),
        *filters.person("Teacher", Course.instructor_id),
        *filters.flag(
            "Stuck", lambda: conditions.stuck(Course), counted_as=lambda: conditions.stuck_ids(Course)
        ),
        *filters.only("Error type", Course.video_error_type, ERRORS),
        *filters.only("Playback policy", Course.playback_policy, POLICIES),
        *filters.day("Made", Course.created_at),
    )
    saved_views = (
        SavedView(
            "stuck",
            "Stuck",
            lambda: conditions.stuck(Course),
            counted_as=lambda: conditions.stuck_ids(Course),
        ),
        SavedView("failed-today", "Failed today", lambda: conditions.failed_today(Course)),
    )

    def exact_ids(self, text: str) -> list[Any]:
        return lookup.course_ids(text)

    @property
    def owner_column(self) -> Any:
        return Course.instructor_id
