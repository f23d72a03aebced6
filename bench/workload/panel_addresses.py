"""Which pages of the panel are measured, and how many rows each must show: an empty list is quick and proves nothing."""

import os
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.workload.school import RARE_WORD

FULL, SOME, NONE = 50, 1, 0
COMMON_WORD = "water"


@dataclass(frozen=True)
class Page:
    """An address, and how many rows its table must have; `NONE` means none at all, None that it is no list."""

    address: str
    rows: int | None = FULL
    status: int = 200

    def is_right(self, status: int, rows: int) -> bool:
        if status != self.status or self.rows is None:
            return status == self.status
        return rows == 0 if self.rows == NONE else rows >= self.rows


@dataclass(frozen=True)
class Places:
    """Things in the middle of the database, for pages that need one."""

    lessons: int
    middle: uuid.UUID
    lesson: uuid.UUID
    failed: uuid.UUID
    stuck: uuid.UUID
    course: uuid.UUID
    event: uuid.UUID
    asset: str
    day: str
    week_later: str

    @classmethod
    def find(cls) -> "Places":
        with psycopg.connect(os.environ["DATABASE_URL"]) as database:

            def one(query: str) -> Any:
                row = database.execute(query).fetchone()
                if row is None:
                    raise RuntimeError(f"nothing there: {query}")
                return row[0]

            lessons = one("SELECT count(*) FROM lessons")
            lesson = one(f"SELECT id FROM lessons WHERE status = 'published' ORDER BY id OFFSET {lessons // 3} LIMIT 1")  # fmt: skip
            middle = f"SELECT %s FROM lessons ORDER BY id DESC OFFSET {lessons // 2} LIMIT 1"
            return cls(
                lessons=lessons,
                lesson=lesson,
                middle=one(middle % "id"),
                failed=one("SELECT id FROM lessons WHERE video_processing_status = 'error' LIMIT 1"),
                stuck=one("SELECT id FROM lessons WHERE video_processing_status = 'processing' LIMIT 1"),
                course=one(f"SELECT course_id FROM lessons WHERE id = '{lesson}'"),
                event=one("SELECT id FROM mux_events WHERE outcome = 'failed' LIMIT 1"),
                asset=one(f"SELECT mux_asset_id FROM lessons WHERE id = '{lesson}'"),
                day=str(one(middle % "created_at::date")),
                week_later=str(one(middle % "created_at::date + 7")),
            )


def of_panel(at: Places) -> dict[str, Page]:
    """Every list with its sorts, filters, tabs and searches, a deep page, the last page, and pages of one thing."""
    return _lessons(at) | _uploads(at) | _events(at) | _records(at) | _things(at) | _ends_and_sorts()


def _lessons(at: Places) -> dict[str, Page]:
    from lessonadmin.domain.querying.keyset import pack

    lesson = "/admin/lesson/"
    week = f"flt0_made_from={at.day}&flt1_made_until={at.week_later}"
    pages = {
        "lessons: first page": Page(lesson),
        "lessons: deep page": Page(f"{lesson}?after={pack(at.middle, at.middle)}"),
        "lessons: last page": Page(f"{lesson}?end=1"),
        "lessons: search, rare word": Page(f"{lesson}?search={RARE_WORD}"),
        "lessons: search, common word": Page(f"{lesson}?search={COMMON_WORD}"),
        "lessons: search, common word, last page": Page(f"{lesson}?search={COMMON_WORD}&end=1"),
        "lessons: search, word of nearly all": Page(f"{lesson}?search=patience"),
        "lessons: search, two words": Page(f"{lesson}?search={COMMON_WORD}+{RARE_WORD}", SOME),
        "lessons: search, nothing fits": Page(f"{lesson}?search=nowhere", NONE),
        "lessons: search, asset id": Page(f"{lesson}?search={at.asset}", SOME),
        "lessons: search, e-mail": Page(f"{lesson}?search=teacher7@school.example"),
        "lessons: drafts": Page(f"{lesson}?flt0_state_is=draft"),
        "lessons: published": Page(f"{lesson}?flt0_state_is=published"),
        "lessons: video failed": Page(f"{lesson}?flt0_video_is=error"),
        "lessons: not ready": Page(f"{lesson}?flt0_video_is_not=ready"),
        "lessons: of a teacher": Page(f"{lesson}?flt0_owner_is=teacher7@school.example"),
        "lessons: of a course": Page(f"{lesson}?flt0_course_is={at.course}"),
        "lessons: stuck": Page(f"{lesson}?flt0_stuck_is=yes", SOME),
        "lessons: not stuck": Page(f"{lesson}?flt0_stuck_is=no"),
        "lessons: error type": Page(f"{lesson}?flt0_error_type_is=deleted_at_mux"),
        "lessons: error type of none": Page(f"{lesson}?flt0_error_type_is=wrong_policy", NONE),
        "lessons: temporary id": Page(f"{lesson}?flt0_temporary_id_is=yes"),
        "lessons: no temporary id": Page(f"{lesson}?flt0_temporary_id_is=no"),
        "lessons: signed": Page(f"{lesson}?flt0_playback_policy_is=signed"),
        "lessons: made in a week": Page(f"{lesson}?{week}"),
        "lessons: drafts before a day": Page(f"{lesson}?flt0_made_until={at.day}&flt1_state_is=draft"),
        "lessons: signed before a day": Page(f"{lesson}?flt0_made_until={at.day}&flt1_playback_policy_is=signed", SOME),
        "lessons: drafts with a common word": Page(f"{lesson}?search={COMMON_WORD}&flt0_state_is=draft"),
        "lessons: last news before a day": Page(f"{lesson}?flt0_last_news_until={at.day}"),
        "lessons: price at least": Page(f"{lesson}?flt0_price_at_least=39"),
        "lessons: price at most": Page(f"{lesson}?flt0_price_at_most=1"),
        "lessons: tab stuck": Page(f"{lesson}?view=stuck", SOME),
        "lessons: tab failed": Page(f"{lesson}?view=failed"),
        "lessons: needs attention": Page(f"{lesson}?flt0_needs_attention_is=yes"),
        "lessons: needs no attention": Page(f"{lesson}?flt0_needs_attention_is=no"),
        "lessons: deleted at Mux": Page(f"{lesson}?flt0_cause_is=deleted_at_mux"),
        "lessons: held, of which there are none": Page(f"{lesson}?flt0_cause_is=held", NONE),
        "lessons: tab needs attention": Page(f"{lesson}?view=needs-attention"),
        "lessons: tab temporary ids": Page(f"{lesson}?view=temporary-ids"),
    }  # fmt: skip
    for name, column in (("title", 0), ("made", 3), ("last news", 4)):
        pages[f"lessons: sort by {name}"] = Page(f"{lesson}?sort={column}")
        pages[f"lessons: sort by {name}, downwards"] = Page(f"{lesson}?sort={column}&desc=1")
        pages[f"lessons: sort by {name}, common word"] = Page(f"{lesson}?sort={column}&search={COMMON_WORD}")
        pages[f"lessons: sort by {name}, rare word"] = Page(f"{lesson}?sort={column}&search={RARE_WORD}")
        pages[f"lessons: sort by {name}, drafts"] = Page(f"{lesson}?sort={column}&flt0_state_is=draft")
        pages[f"lessons: sort by {name}, failed"] = Page(f"{lesson}?sort={column}&flt0_video_is=error")
    return pages


def _uploads(at: Places) -> dict[str, Page]:
    upload = "/admin/tracking/"
    return {
        "uploads: failed": Page(f"{upload}?flt0_state_is=error"),
        "uploads: not ready": Page(f"{upload}?flt0_state_is_not=ready"),
        "uploads: cancelled, of which there are none": Page(f"{upload}?flt0_state_is=cancelled", NONE),
        "uploads: error type": Page(f"{upload}?flt0_error_type_is=deleted_at_mux"),
        "uploads: signed": Page(f"{upload}?flt0_playback_policy_is=signed"),
        "uploads: of a teacher": Page(f"{upload}?flt0_owner_is=teacher7@school.example"),
        "uploads: began in a week": Page(f"{upload}?flt0_began_from={at.day}&flt1_began_until={at.week_later}"),
        "uploads: failed before a day": Page(f"{upload}?flt0_began_until={at.day}&flt1_state_is=error"),
        "uploads: search": Page(f"{upload}?search=upload{at.lesson}", SOME),
        "uploads: search, nothing fits": Page(f"{upload}?search=nowhere", NONE),
        "uploads: tab stuck": Page(f"{upload}?view=stuck", SOME),
        "uploads: tab temporary ids": Page(f"{upload}?view=temporary-ids"),
        "uploads: tab failed": Page(f"{upload}?view=failed"),
        "uploads: tab needs attention": Page(f"{upload}?view=needs-attention"),
    }  # fmt: skip


def _events(at: Places) -> dict[str, Page]:
    event = "/admin/event/"
    return {
        "events: tab failed": Page(f"{event}?view=failed"),
        "events: tab unmatched": Page(f"{event}?view=unmatched"),
        "events: tab waiting, of which there are none": Page(f"{event}?view=waiting", NONE),
        "events: outcome is not": Page(f"{event}?flt0_outcome_is_not=applied"),
        "events: type": Page(f"{event}?flt0_type_is=video.asset.warning"),
        "events: type of none": Page(f"{event}?flt0_type_is=video.asset.deleted", NONE),
        "events: of an asset": Page(f"{event}?search={at.asset}", SOME),
        "events: search, nothing fits": Page(f"{event}?search=nowhere", NONE),
        "events: in a week": Page(f"{event}?flt0_received_from={at.day}&flt1_received_until={at.week_later}"),
        "events: failed before a day": Page(f"{event}?flt0_received_until={at.day}&flt1_outcome_is=failed"),
        "events: failed of a type": Page(f"{event}?flt0_type_is=video.asset.ready&flt1_outcome_is=failed"),
    }  # fmt: skip


def _records(at: Places) -> dict[str, Page]:
    return {
        "deletions: pending": Page("/admin/deletion/?view=pending"),
        "deletions: failing": Page("/admin/deletion/?view=failing"),
        "deletions: not done": Page("/admin/deletion/?flt0_done_is=no"),
        "audit: a kind": Page("/admin/audit/?flt0_what_is=lesson.created"),
        "audit: a kind in a week": Page(
            f"/admin/audit/?flt0_what_is=lesson.created&flt1_when_from={at.day}&flt2_when_until={at.week_later}"
        ),
        "audit: of a person": Page("/admin/audit/?flt0_who_is=teacher7@school.example"),
        "audit: of a lesson": Page(f"/admin/audit/?search={at.lesson}", SOME),
        "audit: by webhook": Page("/admin/audit/?flt0_by_is=webhook"),
        "audit: by command, of which there are none": Page("/admin/audit/?flt0_by_is=cli", NONE),
        "purchases: of a buyer": Page("/admin/purchase/?flt0_buyer_is=student7@school.example"),
        "courses: search": Page("/admin/course/?search=glass"),
        "courses: of a teacher": Page("/admin/course/?flt0_teacher_is=teacher7@school.example", SOME),
        "courses: error type of none": Page("/admin/course/?flt0_error_type_is=deleted_at_mux", NONE),
        "courses: signed, of which there are none": Page(
            "/admin/course/?flt0_playback_policy_is=signed", NONE
        ),
        "accounts: search": Page("/admin/user/?search=teacher7@school.example", SOME),
    }


def _things(at: Places) -> dict[str, Page]:
    return {
        "lesson page": Page(f"/admin/lesson/details/?id={at.lesson}", None),
        "lesson page, failed": Page(f"/admin/lesson/details/?id={at.failed}", None),
        "lesson page, stuck": Page(f"/admin/lesson/details/?id={at.stuck}", None),
        "course page": Page(f"/admin/course/details/?id={at.course}", None),
        "event page": Page(f"/admin/event/details/?id={at.event}", None),
        "search box: asset id": Page(f"/admin/search/?q={at.asset}", None, 302),
        "search box: common word": Page("/admin/search/?q=drawing", None),
        "search box: rare word": Page(f"/admin/search/?q={RARE_WORD}", None),
        "search box: e-mail": Page("/admin/search/?q=teacher7@school.example", None, 302),
        "search box: nothing fits": Page("/admin/search/?q=nowhere", None),
    }


def _ends_and_sorts() -> dict[str, Page]:
    names = {"course": "courses", "tracking": "uploads", "event": "events", "deletion": "deletions", "batch": "bulk actions", "purchase": "purchases", "user": "accounts", "audit": "audit"}  # fmt: skip
    few = {"user": SOME}
    pages = {}
    for list_name, name in names.items():
        rows = few.get(list_name, FULL)
        pages[f"{name}: first page"] = Page(f"/admin/{list_name}/", rows)
        pages[f"{name}: last page"] = Page(f"/admin/{list_name}/?end=1", rows)
    sorts = (("course", 0, "title"), ("course", 2, "made"), ("tracking", 4, "began"), ("tracking", 5, "last news"), ("event", 4, "received"), ("deletion", 3, "since"), ("batch", 4, "begun"), ("purchase", 3, "bought"), ("audit", 3, "when"))  # fmt: skip
    for list_name, column, what in sorts:
        pages[f"{names[list_name]}: sort by {what}"] = Page(f"/admin/{list_name}/?sort={column}&desc=1")
    return pages


def meanwhile(at: Places) -> dict[str, Page]:
    """What support looks at while a batch works."""
    chosen = ("lessons: first page", "lessons: search, rare word", "lessons: sort by title", "lesson page")
    every = of_panel(at)
    return {name: every[name] for name in chosen} | {
        "bulk actions: first page": Page("/admin/batch/"),
        "operations page": Page("/admin/", None),
    }


# What a stock admin can show of the same lessons: the product's page, and how many times as long the others must take.
BESIDE = {
    "first page": ("lessons: first page", 1.0),
    "filter": ("lessons: drafts", 1.0),
    "deep page": ("lessons: deep page", 5.0),
    "sort by title": ("lessons: sort by title", 5.0),
    "sort by made": ("lessons: sort by made", 5.0),
    "search, rare word": ("lessons: search, rare word", 5.0),
    "search, common word": ("lessons: search, common word", 5.0),
}


def of_stock(at: Places) -> dict[str, Page]:
    """A page in the middle is page `lessons / 100` of 50 rows."""
    view = "/admin/stock/"
    return {
        "first page": Page(view),
        "filter": Page(f"{view}?flt1_0=draft"),
        "deep page": Page(f"{view}?page={at.lessons // 100}"),
        "sort by title": Page(f"{view}?sort=0"),
        "sort by made": Page(f"{view}?sort=5"),
        "search, rare word": Page(f"{view}?search={RARE_WORD}"),
        "search, common word": Page(f"{view}?search={COMMON_WORD}"),
    }


def of_django(at: Places) -> dict[str, Page]:
    view = "/admin/bench/lesson/"
    return {
        "first page": Page(view),
        "filter": Page(f"{view}?status__exact=draft"),
        "deep page": Page(f"{view}?p={at.lessons // 100}"),
        "sort by title": Page(f"{view}?o=1"),
        "sort by made": Page(f"{view}?o=6"),
        "search, rare word": Page(f"{view}?q={RARE_WORD}"),
        "search, common word": Page(f"{view}?q={COMMON_WORD}"),
    }
