"""One box for anything pasted: straight to the only thing that fits, or everything that does."""

import pytest
from flask import Flask

from lessonadmin.domain.models import ErrorReference, WaitingEvent
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_user,
    signed_in,
)
from tests.pages import page_of
from tests.queries import counted

MAX_QUERIES = 15


@pytest.mark.parametrize(
    ("role", "text", "address"),
    [
        ("support", "as1", "/admin/lesson/details/?id={lesson}"),
        ("support", "{lesson}", "/admin/lesson/details/?id={lesson}"),
        ("support", "as2", "/admin/course/details/?id={course}"),
        ("support", "ev-1", "/admin/event/details/?id={event}"),
        ("support", "{lesson:.30}", "/admin/lesson/details/?id={lesson}"),
        (
            "support",
            "https://school.example/catalog/{lesson}?from=mail#top",
            "/admin/lesson/details/?id={lesson}",
        ),
        ("support", "/admin/course/details/?id={course}", "/admin/course/details/?id={course}"),
        ("support", "/api/mux/check-asset-status?lesson_id={lesson}", "/admin/lesson/details/?id={lesson}"),
        (
            "support",
            "https://stream.mux.com/playback0123456789.m3u8?token=e.y",
            "/admin/lesson/details/?id={lesson}",
        ),
        ("support", "{purchase}", "/admin/purchase/details/?id={purchase}"),
        ("admin", "ada@school.example", "/admin/person/details/?id={ada}"),
        ("support", "ada@school.example", "/admin/person/details/?id={ada}"),
    ],
)
def test_the_only_thing_that_fits_is_opened(app: Flask, role: str, text: str, address: str) -> None:
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    ids = {
        "ada": ada.id,
        "lesson": make_playing_lesson(
            creator=ada, mux_asset_id="as1", mux_playback_id="playback0123456789"
        ).id,
        "course": make_course(instructor=ada, mux_asset_id="as2").id,
        "event": make_event(mux_event_id="ev-1").id,
        "purchase": make_purchase(make_playing_lesson(), make_user(role="student")).id,
    }
    browser = signed_in(make_user(role=role))
    answer = browser.get(
        "/admin/search/", query_string={"q": text.format(**{name: str(one) for name, one in ids.items()})}
    )
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


@pytest.mark.parametrize(
    "text",
    ["nothingfitsthis", "circles", "rare", "deadbeefdeadbeef", "nobody@school.example",
     "01a1fc30-4459-7d2e-be8a-be56dc97f121", "nothing such"],
)  # fmt: skip
def test_a_search_is_few_statements_whatever_is_typed(app: Flask, text: str) -> None:
    make_course(title="Circles, rare ones")
    for number in range(12):
        make_lesson(title=f"Circles {number}")
    make_lesson(title="Rare")
    browser = signed_in(make_user(role="support"))
    with counted() as sent:
        answer = browser.get("/admin/search/", query_string={"q": text})
    assert answer.status_code == 200
    assert len(sent) <= MAX_QUERIES, "\n".join(sent)


def test_more_than_ten_lead_to_the_list(app: Flask) -> None:
    for number in range(12):
        make_lesson(title=f"Circles {number}")
    page = page_of(signed_in(make_user(role="support")).get("/admin/search/?q=circles"))
    assert "All lessons that match" in page.text()
    assert page.all("a", href="/admin/lesson/?search=circles")


@pytest.mark.parametrize(
    "text", ["", " ", "nothing such", "%", "\\", "'", "&|!()", "x" * 5000, "😀", "a%00b", "01a1fc30-4459-7d2e-be8a-be56dc97f121", "@", "a@b@c"]
)  # fmt: skip
def test_odd_texts_find_nothing_in_a_whole_page(app: Flask, text: str) -> None:
    page_of(signed_in(make_user(role="support")).get("/admin/search/", query_string={"q": text}))


@pytest.mark.parametrize("role", ["support", "admin"])
def test_a_person_without_lessons_is_found_with_their_page(app: Flask, role: str) -> None:
    stu = make_user(role="student", name="Stu", email="stu@school.example")
    make_user(role="student", name="Stu Other", active=False)
    page = page_of(signed_in(make_user(role=role)).get("/admin/search/?q=stu"))
    assert "Account exists: student, since" in page.text("main")
    assert "Account exists: student, disabled, since" in page.text("main")
    page.one("a", href=f"/admin/person/details/?id={stu.id}")
    page.one("a", href=f"/admin/purchase/?flt0_buyer_is={stu.id}")


def test_what_has_no_page_is_told_in_the_results(app: Flask) -> None:
    keep(WaitingEvent(mux_event_id="ev-waits", body=b"{}"))
    keep(ErrorReference(reference="f" * 32, route="POST /lessons/new", kind="RuntimeError"))
    support = signed_in(make_user(role="support"))
    assert "Received, waits to be applied" in page_of(support.get("/admin/search/?q=ev-waits")).text("main")
    assert "RuntimeError at POST /lessons/new" in page_of(support.get("/admin/search/?q=" + "f" * 32)).text(
        "main"
    )
