"""The list of courses: the state of their preview videos, their owners, and actions on many of them."""

from typing import Any, ClassVar

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.bulk_actions import ActsOnRows
from lessonadmin.admin.framework.cells import of_row, with_details
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
from lessonadmin.admin.pages.lesson_page import CasePages
from lessonadmin.domain.models import Course
from lessonadmin.domain.support import lookup


class CourseView(CasePages, ActsOnRows, OwnerList):
    slug, icon, target = "course", "course", "course"
    column_list = ("title", "video_processing_status", "created_at", "updated_at")
    nouns = ("course", "courses")
    column_select_related_list = (Course.instructor,)
    on_phones: ClassVar = {"video_processing_status": "table__state", "updated_at": "table__time"}
    column_labels = {
        "title": "Course",
        "instructor": "Instructor",
        "video_processing_status": "Preview video",
        "created_at": "Created",
        "updated_at": "Updated",
        "mux_asset_id": "Asset id",
        "mux_playback_id": "Playback id",
        "video_error_type": "Error",
    }
    column_sortable_list = ("title", "created_at")
    column_formatters = {
        "title": title(lambda row: [cells.person(row.instructor)]),
        "video_processing_status": with_details(video),
    }
    column_export_list = (
        "id", "title", "instructor", "language", "video_processing_status", "video_error_type", "playback_policy",
        "mux_asset_id", "mux_playback_id", "created_at", "updated_at",
    )  # fmt: skip
    column_formatters_export = {
        "instructor": of_row(lambda row: row.instructor.email if row.instructor else ""),
    }
    column_filters = (
        *filters.choice("Preview video", Course.video_processing_status, VIDEO_STATES),
        *filters.person("Owner", Course.instructor_id),
        *attention_filters(Course),
        *filters.only("Error type", Course.video_error_type, ERRORS),
        *filters.only("Playback policy", Course.playback_policy, POLICIES),
        *filters.day("Created", Course.created_at),
    )
    saved_views = attention_views(Course)

    def exact_ids(self, text: str) -> list[Any]:
        return lookup.course_ids(text)

    @property
    def owner_column(self) -> Any:
        return Course.instructor_id
