"""The page of one lesson or course for support, over HTTP: why and what to press, Mux beside the rows, the timeline, notes, and
the few words that staff may edit."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from lessonadmin.admin.pages import lesson_page
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import heartbeats, hourly_statistics
from lessonadmin.domain.accounts import users
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Alarm, AssetDeletion, AuditLog, Course, Lesson, StaffNote, Tracking
from tests.admin.posting import act, fresh, said
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_section,
    make_tracking,
    make_user,
    signed_in,
)
from tests.mux_sim import MuxSim
from tests.pages import csrf_of, page_of
from tests.queries import counted
from tests.settings import overridden

MAX_QUERIES = 15


@pytest.fixture
def support(app: Flask, session: object) -> FlaskClient:
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    return signed_in(make_user(role="support", email="sam@school.example"))


def address(row: Lesson | Course, path: str = "details/", **more: str) -> str:
    slug = "lesson" if isinstance(row, Lesson) else "course"
    return f"/admin/{slug}/{path}?id={row.id}" + "".join(f"&{k}={v}" for k, v in more.items())


def send(browser: FlaskClient, path: str, **fields: str) -> Any:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **fields})


def causes(browser: FlaskClient, row: Lesson | Course, **more: str) -> list[str | None]:
    page = page_of(browser.get(address(row, **more)))
    return [attrs["data-cause"] for _, attrs in page.elements if "data-cause" in attrs]


def test_what_mux_did_not_tell_is_seen_beside_us_and_put_right(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    asked = len(mux_sim.calls())
    causes(support, lesson)
    assert len(mux_sim.calls()) == asked, "looking at the page asks Mux nothing"
    assert causes(support, lesson, look="1")[0] == "ready_not_told"
    fragment = support.get(address(lesson, look="1"), headers={"X-Fragment": "case"})
    assert fragment.headers["X-Fragment"] == "case"
    assert "Here and at Mux, side by side" in fragment.text
    assert 'name="action" value="recheck"' in fragment.text
    assert mux_sim.lesson(lesson).video_processing_status == "uploading", "asking changed nothing"
    answer = act(support, "lesson", "recheck", lesson.id, url=address(lesson))
    assert answer.location == address(lesson)
    assert mux_sim.lesson(lesson).status == "published"
    assert causes(support, lesson)[0] == "published"


def test_the_page_of_a_stuck_lesson_is_few_statements(support: FlaskClient, mux_sim: MuxSim) -> None:
    """Also while outages have their share in it, a file is held, and the timeline is longer than the page."""
    lesson = make_lesson()
    make_tracking(lesson, status="cancelled", error_type="held", started_by=make_user().id)
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert "Stuck" not in page_of(support.get(address(lesson))).text()
    for _ in range(lesson_page.TIMELINE_PAGE_SIZE):
        make_event(target_type="lesson", target_id=lesson.id, received_at=func.now() - timedelta(hours=4))
    send(support, "/admin/lesson/note", id=str(lesson.id), text="The teacher phoned.")
    keep(AssetDeletion(mux_asset_id="an-older-one", target_type="lesson", target_id=lesson.id))
    keep(Alarm(kind="events_waiting", message="It is so."))
    hourly_statistics.add("rejected", "mismatch", 5)
    earlier = Tracking.created_at - timedelta(hours=3)
    db.session.execute(update(Tracking).values(created_at=earlier, bytes_in_at=earlier))
    db.session.commit()
    send(support, "/admin/lesson/upload-again", id=str(lesson.id))
    with counted() as sent:
        answer = support.get(address(lesson))
    page = page_of(answer)
    told = [attrs["data-cause"] for _, attrs in page.elements if "data-cause" in attrs]
    assert {"webhooks_refused", "webhooks_not_applied", "held"} <= set(told), told
    assert "Stuck" in page.text()
    assert len(sent) <= MAX_QUERIES, "\n".join(sent)


def test_a_new_video_that_mux_did_not_tell_of_is_compared_with_itself(
    support: FlaskClient, mux_sim: MuxSim
) -> None:
    """It was held against the playback id of the old video, and the way out named was the wrong one."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id, playback_id = mux_sim.lesson(lesson).mux_asset_id, mux_sim.lesson(lesson).mux_playback_id
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert causes(support, lesson, look="1")[0] == "ready_not_told"
    beside = support.get(address(lesson, look="1"), headers={"X-Fragment": "case"}).text
    assert "new video ready" in beside
    assert str(playback_id) not in beside
    act(support, "lesson", "recheck", lesson.id, url=address(lesson))
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    assert now.mux_asset_id != asset_id
    assert causes(support, lesson, look="1") == ["published"]


def test_a_late_new_video_is_badged_and_said_on_the_page(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    assert "New video late" not in page_of(support.get(address(lesson))).text()
    db.session.execute(update(Tracking).values(created_at=Tracking.created_at - timedelta(hours=1)))
    db.session.commit()
    said_now = page_of(support.get(address(lesson))).text()
    assert "New video late" in said_now
    assert "The current video plays until then." in said_now
    assert causes(support, lesson) == ["replacement_late"]


def test_without_an_answer_from_mux_the_page_is_there(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        page = page_of(support.get(address(lesson, look="1")))
    assert "Mux" in page.text()
    assert "side by side" not in page.text()


def test_the_story_as_a_text_for_a_ticket(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson(title="Circles")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    answer = support.get(address(lesson, "story.txt"))
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="lesson-{str(lesson.id)[:8]}.txt"'
    assert "Circles" in answer.text
    assert "video.asset.ready" in answer.text
    assert support.get(f"/admin/lesson/story.txt?id={uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("before", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00+00:00", "9999-99-99"])
def test_earlier_parts_of_the_story_are_pages_and_fragments(support: FlaskClient, before: str) -> None:
    lesson = make_playing_lesson()
    page_of(support.get(address(lesson, "story/", before=before)))
    part = support.get(address(lesson, "story/", before=before), headers={"X-Fragment": "story"})
    assert part.headers["X-Fragment"] == "story"


def test_staff_write_notes_that_instructors_never_see(support: FlaskClient) -> None:
    instructor = make_user()
    lesson = make_playing_lesson(creator=instructor)
    answer = send(support, "/admin/lesson/note", id=str(lesson.id), text="Called at <b>nine</b>")
    assert answer.location == address(lesson) + "#notes"
    page = support.get(address(lesson))
    assert "Called at &lt;b&gt;nine&lt;/b&gt;" in page.text
    assert "sam@school.example" in page.text
    assert "Called at" not in signed_in(instructor).get(f"/lessons/{lesson.id}/edit").text
    assert "Called at" not in signed_in(instructor).get(f"/api/lessons/{lesson.id}").text
    for text in ("", "   ", "x" * 4001, "a\x00b"):
        answer = send(support, "/admin/lesson/note", id=str(lesson.id), text=text)
        assert answer.status_code in (302, 400), repr(text)
    assert len(db.session.scalars(select(StaffNote)).all()) == 1
    assert send(support, "/admin/lesson/note", id="x", text="y").status_code == 404
    course = make_course()
    assert send(support, "/admin/course/note", id=str(course.id), text="y").status_code == 404


MACHINE_OWNED = {
    "status": "published",
    "mux_asset_id": "evil",
    "mux_playback_id": "evil",
    "video_processing_status": "ready",
    "publish_on_ready": "0",
    "creator_id": str(uuid.uuid4()),
    "id": str(uuid.uuid4()),
    "created_at": "2000-01-01",
    "needs_attention_at": "2000-01-01",
}


def test_fields_that_are_not_in_the_form_are_never_looked_at(support: FlaskClient) -> None:
    lesson = make_lesson(title="Before")
    before = {name: getattr(fresh(lesson), name) for name in MACHINE_OWNED}
    answer = send(support, address(lesson, "edit/"), **(MACHINE_OWNED | {"title": "After", "price": "7,50", "version": str(lesson.version)}))  # fmt: skip
    assert answer.status_code == 302
    found = fresh(lesson)
    assert (found.title, found.price_cents) == ("After", 750)
    assert {name: getattr(found, name) for name in MACHINE_OWNED} == before
    course = make_course(title="Before")
    send(
        support,
        address(course, "edit/"),
        **(MACHINE_OWNED | {"title": "After", "version": str(course.version)}),
    )
    found = fresh(course)
    assert (found.title, found.mux_asset_id) == ("After", None)


def test_an_edit_leaves_before_and_after_and_who(support: FlaskClient) -> None:
    lesson = make_lesson(title="Before")
    send(support, address(lesson, "edit/"), title="After", version=str(lesson.version))
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.updated")).one()
    assert (row.detail["before"]["title"], row.detail["after"]["title"]) == ("Before", "After")
    assert row.actor_type == "user"
    trail = page_of(support.get(f"/admin/audit/?search={lesson.id}")).text()
    assert "Changed the lesson" in trail
    assert "title: “Before” → “After”" in trail


def test_two_people_edit_the_same_lesson(support: FlaskClient) -> None:
    lesson = make_lesson(title="Before")
    version = str(fresh(lesson).version)
    other = signed_in(make_user(role="admin"))
    assert send(support, address(lesson, "edit/"), title="First", version=version).status_code == 302
    second = send(other, address(lesson, "edit/"), title="Second", version=version)
    assert second.status_code == 409
    page = page_of(second)
    assert "What is stored now." in page.text()
    assert "First" in page.text()
    assert page.one("input", name="title")["value"] == "Second", "what was typed stays"
    assert fresh(lesson).title == "First"
    again = page.one("input", name="version")["value"] or ""
    assert send(other, address(lesson, "edit/"), title="Second", version=again).status_code == 302
    assert fresh(lesson).title == "Second"


@pytest.mark.parametrize(
    ("field", "text"),
    [("title", ""), ("title", "x" * 201), ("price", "a lot"), ("price", "-1"), ("course_id", "x"), ("course_id", "01a1fc30-4459-7d2e-be8a-be56dc97f121")],
)  # fmt: skip
def test_what_is_wrong_in_the_form_is_said_beside_it(support: FlaskClient, field: str, text: str) -> None:
    lesson = make_lesson(title="Before", price_cents=900)
    answer = send(support, address(lesson, "edit/"), **{field: text, "version": str(fresh(lesson).version)})
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.text("title").startswith("Error: ")
    assert [a for _, a in page.elements if a.get("aria-invalid")], "the field is marked"
    assert (fresh(lesson).title, fresh(lesson).price_cents) == ("Before", 900)


@pytest.mark.parametrize(
    ("typed", "sentence"), [("1e5", "Enter the price as 9.99"), ("1000000", "999,999.00 at most")]
)
def test_a_price_is_read_as_in_the_form_of_its_instructor(
    support: FlaskClient, typed: str, sentence: str
) -> None:
    lesson = make_lesson(price_cents=900)
    answer = send(support, address(lesson, "edit/"), price=typed, version=str(fresh(lesson).version))
    assert answer.status_code == 400
    assert sentence in page_of(answer).text("main")
    assert fresh(lesson).price_cents == 900


def test_a_course_is_given_to_another_instructor(support: FlaskClient) -> None:
    course, other = make_course(), make_user(email="new@school.example")
    version = str(fresh(course).version)
    wrong = send(support, address(course, "edit/"), teacher="nobody@school.example", version=version)
    assert wrong.status_code == 400
    send(support, address(course, "edit/"), teacher="new@school.example", version=version)
    assert fresh(course).instructor_id == other.id


def test_the_language_of_a_course_is_shown_and_edited(support: FlaskClient) -> None:
    course = make_course()
    version, edit = str(fresh(course).version), address(course, "edit/")
    assert "Language–" in page_of(support.get(address(course))).text("dl")
    wrong = send(support, edit, language="tlh", version=version)
    assert (wrong.status_code, "Choose one of the languages" in wrong.text) == (400, True)
    assert send(support, edit, language="de", version=version).status_code == 302
    assert fresh(course).language == "de"
    assert "LanguageGerman" in page_of(support.get(address(course))).text("dl")
    late = send(support, edit, language="fr", version=version)
    assert (late.status_code, "<dt>Language</dt><dd>German</dd>" in late.text) == (409, True)
    chosen = [one["value"] for one in page_of(support.get(edit)).all("option") if "selected" in one]
    assert chosen == ["de"]
    assert send(support, edit, title="B", version=str(fresh(course).version)).status_code == 302
    assert fresh(course).language == "de", "a form without the field keeps it"


def test_sections_are_shown_of_a_course_and_the_one_of_a_lesson(support: FlaskClient) -> None:
    course = make_course(title="Drawing")
    section = make_section(course, title="Basics", position=1)
    make_section(course, title="Plans", position=2)
    lesson = make_lesson(course=course, section_id=section.id)
    assert "SectionsBasics 1 lessonPlans 0 lessons" in page_of(support.get(address(course))).text("dl")
    assert "in Drawing, section “Basics”" in page_of(support.get(address(lesson))).text("main")
    assert "Sections" not in page_of(support.get(address(make_course()))).text("dl")
    assert "section" not in page_of(support.get(address(make_lesson(course=course)))).text("main")


def test_a_lesson_that_vanished_is_not_found_by_any_button(support: FlaskClient) -> None:
    for path in ("details/", "edit/", "story/", "story.txt"):
        assert support.get(f"/admin/lesson/{path}?id={uuid.uuid4()}").status_code == 404
    assert send(support, f"/admin/lesson/edit/?id={uuid.uuid4()}", title="x").status_code == 404
    act(support, "lesson", "publish", uuid.uuid4())
    assert "It is not there any more." in said(support)


def test_where_there_is_no_video_the_button_leads_to_the_form(support: FlaskClient) -> None:
    for row, form in (
        (lesson := make_lesson(), f"/lessons/{lesson.id}/edit"),
        (course := make_course(), f"/courses/{course.id}/edit"),
    ):
        page = page_of(support.get(address(row)))
        assert causes(support, row)[0] == "no_video"
        assert [a for a in page.all("a", href=form) if "button" in (a["class"] or "")]
        assert support.get(form).status_code == 200


def test_a_file_that_is_held_has_two_answers(support: FlaskClient, mux_sim: MuxSim) -> None:
    instructor = make_user(email="gone@school.example")
    lesson = make_lesson(creator=instructor, title="Bread")
    ticket = mux_sim.upload(lesson)
    with transaction(CLI):
        users.set_active(fresh(instructor), False)
    assert causes(support, lesson)[0] == "right_lost"
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    answer = support.get(address(lesson))
    assert causes(support, lesson)[0] == "held"
    assert "gone@school.example started this upload and lost the right to this lesson on" in answer.text
    form = page_of(answer).text("main")
    assert "Take it over…" in form
    assert "Delete it at Mux…" in form
    assert ", held" in form
    assert "superseded" not in form
    (row,) = mux_sim.uploads(lesson)
    page = support.get(f"/admin/tracking/details/?id={row.id}")
    assert "Take over…" in page_of(page).text()
    assert "gone@school.example" in page.text
    notices = support.get("/notifications").text
    assert "A file is held until you decide: Bread" in notices
    act(support, "tracking", "take_over", row.id)
    sweep.sweep()
    assert mux_sim.lesson(lesson).status == "published"
    assert causes(support, lesson)[0] == "published"


def stuck_upload(mux_sim: MuxSim, lesson: Lesson) -> None:
    """Its page was closed two hours ago, and Mux waits for the file."""
    mux_sim.upload(lesson)
    mux_sim.deliver()
    db.session.execute(update(Tracking).values(created_at=Tracking.created_at - timedelta(hours=2)))
    db.session.commit()


def test_what_mux_answered_is_used_and_the_instructor_is_asked_to_upload_again(
    support: FlaskClient, mux_sim: MuxSim
) -> None:
    tina = make_user(name="Tina Vale")
    lesson = make_lesson(creator=tina, title="Bread")
    stuck_upload(mux_sim, lesson)
    assert causes(support, lesson) == ["no_bytes"]
    act(support, "lesson", "recheck", lesson.id, url=address(lesson))
    page = page_of(support.get(address(lesson)))
    assert "Mux is still waiting for the file. Asked just now." in page.text()
    status = page.text("main")
    assert "The file of the video has not arrived: Mux has been waiting for it for " in status
    assert "Tina Vale can go on with it in the browser where the upload began until " in status
    for label in ("Ask the instructor to upload again", "Cancel the upload", "Check with Mux"):
        assert label in status
    answer = send(support, "/admin/lesson/upload-again", id=str(lesson.id))
    assert answer.location == address(lesson)
    page = page_of(support.get(address(lesson)))
    assert "Asked Tina Vale in the app." in page.text()
    assert "to upload again." in page.text("main")
    assert "Ask again" in page.text("main")
    assert "Asked the instructor to upload again" in page.text("main"), "the activity has it"
    assert "Please upload a video again: Bread" in page_of(signed_in(tina).get("/notifications")).text()
    send(support, "/admin/lesson/upload-again", id=str(lesson.id))
    assert "The instructor was asked already." in said(support)
    send(support, "/admin/lesson/upload-again", id=str(lesson.id), again="1")
    assert "Asked Tina Vale in the app." in said(support)
    send(support, "/admin/lesson/cancel-upload", id=str(lesson.id))
    assert "The upload is cancelled." in said(support)
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    send(support, "/admin/lesson/cancel-upload", id=str(lesson.id))
    assert "No upload is running." in said(support)


def test_only_what_does_something_is_offered(support: FlaskClient, mux_sim: MuxSim) -> None:
    def offered(row: Lesson | Course) -> list[str | None]:
        page = page_of(support.get(address(row)))
        return [one["value"] for one in page.all("button", name="action")]

    assert (
        offered(make_lesson(publish_on_ready=False)) == ["publish"]
        or offered(make_lesson(publish_on_ready=False)) == []
    )
    playing = make_playing_lesson()
    assert "publish" not in offered(playing)
    assert set(offered(playing)) >= {"unpublish", "clear_asset", "recheck"}
    course = make_course()
    assert offered(course) == []


def test_asking_for_what_is_not_needed_is_refused_in_words(support: FlaskClient) -> None:
    send(support, "/admin/lesson/upload-again", id=str(make_playing_lesson().id))
    assert "Its video needs no other upload any more." in said(support)
    assert send(support, "/admin/lesson/upload-again", id=str(uuid.uuid4())).status_code == 404


def test_an_upload_that_mux_refused_to_begin_is_no_lesson_without_a_video(
    support: FlaskClient, mux_sim: MuxSim
) -> None:
    tina = make_user(name="Tina Vale")
    lesson = make_lesson(creator=tina)
    mux_sim.control.fault("api", "status", match={"operation": "create_upload"}, status=401)
    with pytest.raises(Problem):
        mux_sim.upload(lesson)
    mux_sim.control.clear_faults()
    text = page_of(support.get(address(lesson))).text("main")
    assert "No video was ever uploaded" not in text
    assert (
        "Mux did not accept Lessonadmin’s access token, so no upload began. The file is not the cause."
        in text
    )
    send(support, "/admin/lesson/upload-again", id=str(lesson.id))
    assert "Asked Tina Vale in the app." in said(support)


def test_the_page_of_a_course_says_of_which_lesson_its_picture_is(support: FlaskClient) -> None:
    teacher = make_user(role="instructor")
    course = make_course(instructor=teacher)

    def cover() -> str:
        said = page_of(support.get(address(course))).text("main")
        return said.split("Cover")[1].split("Created")[0].strip()

    assert cover() == "–"
    _, second = (
        make_playing_lesson(creator=teacher, course_id=course.id, position=n, title=f"Part {n}")
        for n in (1, 2)
    )
    assert cover() == "Of Part 1 the first that can be shown"
    with transaction(CLI):
        db.session.get_one(Course, course.id).cover_lesson_id = second.id
    assert cover() == "Of Part 2, chosen"
    with transaction(CLI):
        db.session.get_one(Lesson, second.id).status = "draft"
    assert cover() == "Of Part 1 the chosen lesson cannot be shown"
