"""The list of lessons: the state of their videos, their owners, and actions on many of them."""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_

from lessonadmin import auth
from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import cell, of_row, with_details
from lessonadmin.admin.framework.table import SavedView
from lessonadmin.admin.lists.videos import (
    ERRORS,
    POLICIES,
    VIDEO_STATES,
    OwnerList,
    attention_filters,
    attention_views,
    title,
    video,
)
from lessonadmin.admin.pages.lesson_page import NotedPages
from lessonadmin.domain.captions import spoken_words
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.models.lessons import LESSON_STATUSES
from lessonadmin.domain.prices import currency, money, price_text
from lessonadmin.domain.support import lookup
from lessonadmin.domain.videos import conditions
from lessonadmin.web import states

PUBLICATION = states.options("lesson", LESSON_STATUSES)


def _notes(row: Any) -> list[Any]:
    """Whose it is, in which course, at which price."""
    course = cell("linked", row.course.title, cells.link_to("course", row.course_id)) if row.course else ""
    return [cells.person(row.creator), course, money(row.price_cents)]


class LessonView(NotedPages, ActsOnRows, OwnerList):
    slug, icon, target = "lesson", "lesson", "lesson"
    column_list = ("title", "status", "video_processing_status", "created_at", "updated_at")
    nouns = ("lesson", "lessons")
    search_hint = "Title, description, spoken words, ID or e-mail"
    column_select_related_list = (Lesson.creator, Lesson.course, Lesson.section)
    on_phones: ClassVar = {
        "status": "table__state",
        "video_processing_status": "table__state",
        "updated_at": "table__time",
    }
    column_labels = {
        "title": "Lesson",
        "creator": "Owner",
        "status": "State",
        "video_processing_status": "Video",
        "price_cents": "Price",
        "created_at": "Created",
        "updated_at": "Updated",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "video_error_type": "Error",
        "video_error_message": "Error message",
    }
    column_sortable_list = ("title", "created_at", "updated_at")
    column_formatters = {
        "title": title(_notes),
        "status": of_row(
            lambda row: cell(
                "lesson_state", row.status, row.publish_on_ready, row.publish_not_before, row.unpublish_at
            )
        ),
        "video_processing_status": with_details(video),
    }
    column_export_list = (
        "id", "title", "creator", "course", "section", "status", "publish_on_ready", "video_processing_status", "video_error_type",
        "video_error_message", "playback_policy", "mux_asset_id", "mux_playback_id", "price_cents", "currency", "published_at", "created_at", "updated_at",
    )  # fmt: skip
    column_formatters_export = {
        "creator": of_row(lambda row: row.creator.email if row.creator else ""),
        "section": of_row(lambda row: row.section.title if row.section else ""),
        "price_cents": of_row(lambda row: price_text(row.price_cents)),
        "currency": of_row(lambda row: currency()),
    }
    column_filters = (
        *filters.choice("State", Lesson.status, PUBLICATION),
        *filters.choice("Video", Lesson.video_processing_status, VIDEO_STATES),
        *filters.person("Owner", Lesson.creator_id),
        *filters.course("Course", Lesson.course_id),
        *attention_filters(Lesson),
        *filters.only("Error type", Lesson.video_error_type, ERRORS),
        *filters.flag("Temporary id", conditions.temporary_ids),
        *filters.only("Playback policy", Lesson.playback_policy, POLICIES),
        *filters.day("Created", Lesson.created_at),
        *filters.day("Updated", Lesson.updated_at),
        *filters.price("Price", Lesson.price_cents),
    )
    saved_views = (
        *attention_views(Lesson),
        SavedView("temporary-ids", "Temporary ids", conditions.temporary_ids),
    )

    def exact_ids(self, text: str) -> list[Any]:
        return lookup.lesson_ids(text)

    @property
    def owner_column(self) -> Any:
        return Lesson.creator_id

    def by_words(self, text: str) -> ColumnElement[bool] | None:
        """Also by what is said in the video."""
        found = super().by_words(text)
        said = spoken_words.condition(auth.current_user(), text) if found is not None else None
        return or_(found, said) if found is not None and said is not None else found
