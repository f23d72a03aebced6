"""Every page and state of the panel in Chromium: axe finds nothing serious, light and dark, and nothing scrolls sideways
on a phone. One database with all that support meets in it; what support does is tested in tests/browser."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats
from lessonadmin.domain.batches import batches, registry, runner
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import (
    AssetDeletion,
    Batch,
    BatchItem,
    Course,
    Lesson,
    MuxEvent,
    Tracking,
    User,
)
from lessonadmin.domain.support import notes
from tests.chromium import alive
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim

Window = Callable[..., Page]
LONG = "Questions and answers about the second half of the nineteenth century, with a guest from the museum"


@dataclass
class Content:
    """Who looks, and what there is to look at."""

    admin: User
    instructor: User
    stuck: Lesson
    playing: Lesson
    course: Course
    upload: Tracking
    failed_event: MuxEvent
    deletion: AssetDeletion
    running: Batch
    done: Batch


@pytest.fixture
def content(mux_sim: MuxSim) -> Content:
    heartbeats.record("clock")
    admin = make_user(role="admin", name="Robin Root", email="root@school.example")
    instructor = make_user(name="Ada Lovelace", email="ada.lovelace@school.example")
    student = make_user(role="student", email="stu@school.example")
    course = make_course(
        instructor=instructor, title="A history of everything, in forty parts, for beginners"
    )
    playing = make_lesson(creator=instructor, title=LONG, course_id=course.id, price_cents=1290)
    mux_sim.uploaded(playing)
    mux_sim.deliver()
    stuck = make_lesson(creator=instructor, title="Circles and lines", course_id=course.id)
    mux_sim.uploaded(stuck)
    mux_sim.forget()
    db.session.execute(update(Tracking).where(Tracking.lesson_id == stuck.id).values(created_at=datetime.now(UTC) - timedelta(hours=3)))  # fmt: skip
    db.session.commit()
    with transaction(Actor.user(admin.id)):
        notes.add(admin, stuck.id, "The teacher called: the exam is on Friday.\nPlease look at it first.")
        lessons.edit(admin, playing.id, lessons.Changes(price_cents=990))
    broken = make_lesson(creator=instructor, title="Squares", video_processing_status="error", video_error_type="asset_errored", video_error_message="The input file is not a video.")  # fmt: skip
    upload = make_tracking(broken, status="error", error_type="asset_errored", error_message="The input file is not a video.", filename="squares, last take (2) final.mp4", upload_id=uuid.uuid4().hex)  # fmt: skip
    make_lesson(title="Triangles", mux_asset_id="temp_8a7f", video_processing_status="uploading")
    make_purchase(playing, student)
    failed = make_event(outcome="failed", attempts=8, error="KeyError: 'playback_ids'", target_type="lesson", target_id=stuck.id, object_id=uuid.uuid4().hex)  # fmt: skip
    make_event(outcome="unmatched", type="video.asset.errored")
    deletion = keep(AssetDeletion(mux_asset_id=uuid.uuid4().hex, reason="replaced", target_type="lesson", target_id=playing.id, requested_by=instructor.id, attempts=3, last_error="Mux answered 500."))  # fmt: skip
    running, done = bulk(admin, 40, run=False), bulk(admin, 25, run=True)
    return Content(admin, instructor, stuck, playing, course, upload, failed, deletion, running, done)


def bulk(admin: User, count: int, *, run: bool) -> Batch:
    """A batch that waits, or one that is done but for two rows that failed."""
    drafts = [
        make_playing_lesson(status="draft", published_at=None, title=f"Draft {n:02}") for n in range(count)
    ]
    publish = registry.find("lesson", "publish")
    with transaction(Actor.user(admin.id, reason="The course opens today")):
        batch = batches.create(publish, [one.id for one in drafts])
        batch_id = batch.id
    if run:
        runner.run_some(batch_id, seconds=20)
        two = [row.item_id for row in batches.items(batch_id, limit=2)]
        db.session.execute(update(BatchItem).where(BatchItem.id.in_(two)).values(status="failed", error="Mux did not answer."))  # fmt: skip
        db.session.execute(update(Batch).where(Batch.id == batch_id).values(done=count - 2, failed=2))
        db.session.commit()
    return db.session.get_one(Batch, batch_id)


def addresses(content: Content) -> dict[str, str]:
    found = {name: f"/admin/{name}/" for name in ("lesson", "course", "tracking", "event", "deletion", "batch", "purchase", "user", "audit")}  # fmt: skip
    return found | {
        "operations": "/admin/",
        "reconcile": "/admin/reconcile/",
        "jobs": "/admin/jobs/",
        "doctor": "/admin/doctor/",
        "search nothing": "/admin/search/?q=nothing+such",
        "search several": "/admin/search/?q=draft",
        "stuck view": "/admin/lesson/?view=stuck",
        "nothing matches": "/admin/lesson/?search=zanzibar",
        "stuck lesson": f"/admin/lesson/details/?id={content.stuck.id}",
        "beside mux": f"/admin/lesson/details/?id={content.stuck.id}&look=1",
        "playing lesson": f"/admin/lesson/details/?id={content.playing.id}",
        "edit": f"/admin/lesson/edit/?id={content.playing.id}",
        "course page": f"/admin/course/details/?id={content.course.id}",
        "upload": f"/admin/tracking/details/?id={content.upload.id}",
        "event page": f"/admin/event/details/?id={content.failed_event.id}",
        "deletion page": f"/admin/deletion/details/?id={content.deletion.id}",
        "batch running": f"/admin/batch/details/?id={content.running.id}",
        "batch done": f"/admin/batch/details/?id={content.done.id}",
        "account": f"/admin/user/details/?id={content.instructor.id}",
        "own account": f"/admin/user/details/?id={content.admin.id}",
        "new account": "/admin/user/new/",
    }


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desktop", "phone"])
def test_every_page_is_accessible_and_fits(
    window: Window, content: Content, axe: Callable[[Page], list[str]], sideways: Callable[[Page], int], width: int, dark: bool
) -> None:  # fmt: skip
    page = window(width=width, dark=dark, signed_in=content.admin)
    wrong = {}
    found_at = addresses(content)
    db.session.rollback()  # PostgreSQL ends a transaction in which nothing happens for a minute
    for name, address in found_at.items():
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        if found := axe(page):
            wrong[name] = found
        if sideways(page) > 0:
            wrong[f"{name}: sideways"] = [str(sideways(page))]
    assert wrong == {}


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (390, False)], ids=["desktop", "phone"])
def test_every_state_is_accessible_and_fits(
    window: Window, content: Content, axe: Callable[[Page], list[str]], sideways: Callable[[Page], int], width: int, dark: bool
) -> None:  # fmt: skip
    page = window(width=width, dark=dark, signed_in=content.admin)

    def visit(address: str) -> None:
        page.goto(address)
        alive(page)

    def look() -> None:
        assert axe(page) == []
        assert sideways(page) <= 0

    visit("/admin/lesson/?flt0_state_is=draft&flt1_stuck_is=yes")
    look()
    page.get_by_role("button", name=re.compile("^Filters")).click()
    expect(page.get_by_role("heading", name="Filter lessons")).to_be_visible()
    look()
    visit(f"/admin/lesson/details/?id={content.stuck.id}")
    page.get_by_role("button", name="Remove video…").click()
    expect(page.get_by_role("heading", name="What will change")).to_be_visible()
    look()
    page.locator("main form.form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Remove video of 1 lesson").click()
    expect(page.locator(".error-summary")).to_be_focused()
    look()
    visit(f"/admin/batch/details/?id={content.done.id}")
    page.get_by_role("button", name="Undo…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look()
    visit(f"/admin/user/details/?id={content.instructor.id}")
    page.get_by_role("button", name="Disable…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look()


BELOW_PINNED = """(last) => [
  [...last.cells].filter((cell) => parseFloat(getComputedStyle(cell).borderBottomWidth) > 0).length,
  last.cells.length, getComputedStyle(last.nextElementSibling).borderTopWidth]"""


def test_one_line_is_below_the_rows_that_need_a_person(window: Window, content: Content) -> None:
    """On a phone a row is no grid of cells, each with a line of its own."""
    for width in (1280, 390):
        page = window(width=width, signed_in=content.admin)
        page.goto("/admin/lesson/")
        drawn, cells, above_the_next = page.locator("tr.table__pinned--last").evaluate(BELOW_PINNED)
        if width == 390:
            assert (drawn, above_the_next) == (0, "2px")
        else:
            assert drawn == cells
