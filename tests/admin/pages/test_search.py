"""One box for anything pasted: straight to the only thing that fits, or everything that does."""

import pytest
from flask import Flask

from tests.factories import (
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
    signed_in,
)
from tests.pages import page_of


def test_whatever_is_pasted_leads_there(app: Flask) -> None:
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    student = make_user(role="student", email="stu@school.example")
    lesson = make_playing_lesson(
        creator=ada, title="Circles and lines", mux_asset_id="as1", mux_playback_id="pb1"
    )
    make_tracking(lesson, upload_id="up1", temp_asset_id="temp_up1", mux_asset_id="as0", status="cancelled")
    course = make_course(instructor=ada, title="Drawing", mux_asset_id="as2", video_processing_status="ready")
    event = make_event(mux_event_id="ev-1", target_type="lesson", target_id=lesson.id, object_id="as1")
    stray = make_event(mux_event_id="ev-2", object_id="as-nobody", outcome="unmatched")
    support, admin = signed_in(make_user(role="support")), signed_in(make_user(role="admin"))
    here = f"/admin/lesson/details/?id={lesson.id}"
    for text, expected in (
        (lesson.id, here), ("as1", here), ("pb1", here), ("up1", here), ("temp_up1", here), ("as0", here),
        (f"  “{lesson.id}” ", here), (str(lesson.id).upper(), here), ("circl lin", here),
        ("as2", f"/admin/course/details/?id={course.id}"), (course.id, f"/admin/course/details/?id={course.id}"),
        ("ev-1", f"/admin/event/details/?id={event.id}"), (event.id, f"/admin/event/details/?id={event.id}"),
        ("as-nobody", f"/admin/event/details/?id={stray.id}"),
        ("ADA@school.example", f"/admin/lesson/?flt0_owner_is={ada.id}"),
        ("stu@school.example", f"/admin/purchase/?flt0_buyer_is={student.id}"),
    ):  # fmt: skip
        answer = support.get("/admin/search/", query_string={"q": str(text)})
        assert answer.location == expected, text
    answer = admin.get("/admin/search/?q=ada@school.example")
    assert answer.location == f"/admin/user/details/?id={ada.id}"


def test_several_that_fit_are_shown_in_groups(app: Flask) -> None:
    make_course(title="Circles")
    for number in range(3):
        make_lesson(title=f"Circles {number}")
    page = page_of(signed_in(make_user(role="support")).get("/admin/search/?q=circles"))
    assert "Lessons" in page.text()
    assert "Courses" in page.text()
    assert page.text().count("Circles") >= 4
    assert page.text().count("by instructor") == 4, "whose each is"


def test_more_than_ten_lead_to_the_list(app: Flask) -> None:
    for number in range(12):
        make_lesson(title=f"Circles {number}")
    page = page_of(signed_in(make_user(role="support")).get("/admin/search/?q=circles"))
    assert "All lessons that fit" in page.text()
    assert page.all("a", href="/admin/lesson/?search=circles")


@pytest.mark.parametrize(
    "text", ["", " ", "nothing such", "%", "\\", "'", "&|!()", "x" * 5000, "😀", "a%00b", "01a1fc30-4459-7d2e-be8a-be56dc97f121", "@", "a@b@c"]
)  # fmt: skip
def test_odd_texts_find_nothing_in_a_whole_page(app: Flask, text: str) -> None:
    page_of(signed_in(make_user(role="support")).get("/admin/search/", query_string={"q": text}))
