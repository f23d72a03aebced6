"""One box for anything pasted: straight to the only thing that fits, or everything that does."""

import pytest
from flask import Flask

from tests.factories import (
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_user,
    signed_in,
)
from tests.pages import page_of


@pytest.mark.parametrize(
    ("role", "text", "address"),
    [
        ("support", "as1", "/admin/lesson/details/?id={lesson}"),
        ("support", "{lesson}", "/admin/lesson/details/?id={lesson}"),
        ("support", "as2", "/admin/course/details/?id={course}"),
        ("support", "ev-1", "/admin/event/details/?id={event}"),
        ("support", "ADA@school.example", "/admin/lesson/?flt0_owner_is={ada}"),
        ("support", "stu@school.example", "/admin/purchase/?flt0_buyer_is={student}"),
        ("admin", "ada@school.example", "/admin/user/details/?id={ada}"),
    ],
)
def test_the_only_thing_that_fits_is_opened(app: Flask, role: str, text: str, address: str) -> None:
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    ids = {
        "ada": ada.id,
        "student": make_user(role="student", email="stu@school.example").id,
        "lesson": make_playing_lesson(creator=ada, mux_asset_id="as1").id,
        "course": make_course(instructor=ada, mux_asset_id="as2").id,
        "event": make_event(mux_event_id="ev-1").id,
    }
    browser = signed_in(make_user(role=role))
    answer = browser.get("/admin/search/", query_string={"q": text.format(**ids)})
    assert answer.location == address.format(**ids)


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
