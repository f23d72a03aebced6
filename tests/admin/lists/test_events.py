"""The list of Mux's events and the page of one, over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin import mux
from tests.admin.samples import browser, exported, link, titles
from tests.factories import make_event, make_lesson
from tests.pages import page_of
from tests.queries import counted

TARGET = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")
ALL = {"applied", "failed", "unmatched", "waiting"}


def make_one_of_each_outcome() -> None:
    """Events whose ids at Mux are their outcomes."""
    make_event(mux_event_id="applied", outcome="applied", object_id="as1", asset_id="as1", upload_id="up1")
    make_event(
        mux_event_id="failed",
        outcome="failed",
        error="KeyError",
        object_id="as2",
        type="video.upload.errored",
    )
    make_event(mux_event_id="unmatched", outcome="unmatched", target_type="lesson", target_id=TARGET)
    make_event(mux_event_id="waiting", outcome=None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("flt0_outcome_is=failed", {"failed"}),
        ("flt0_outcome_is_not=failed", ALL - {"failed"}),
        ("flt0_type_is=video.upload.errored", {"failed"}),
        (f"flt0_about_is={TARGET}", {"unmatched"}),
        ("flt0_object_is=as1", {"applied"}),
        ("flt0_received_from=2000-01-01", ALL),
        ("flt0_received_until=2000-01-01", set()),
        ("view=failed", {"failed"}),
        ("view=unmatched", {"unmatched"}),
        ("view=waiting", {"waiting"}),
        ("search=applied", {"applied"}),
        ("search=as1", {"applied"}),
        ("search=as2", {"failed"}),
        ("search=up1", {"applied"}),
        (f"search={TARGET}", {"unmatched"}),
        ("search=as", set()),
    ],
)
def test_a_filter_a_view_and_a_search_find_their_events(app: Flask, query: str, expected: set[str]) -> None:
    make_one_of_each_outcome()
    assert {name.split()[1] for name in titles(browser(), f"/admin/event/?{query}")} == expected


def test_an_id_of_an_event_is_that_event_and_not_what_others_are_about(app: Flask) -> None:
    event = make_event(mux_event_id="itself")
    make_event(mux_event_id="other", target_type="lesson", target_id=event.id)
    assert [name.split()[1] for name in titles(browser(), f"/admin/event/?search={event.id}")] == ["itself"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"outcome": "no_change"}, ["No change"]),
        ({"outcome": None}, ["Waiting"]),
        ({"outcome": "failed", "error": "KeyError", "attempts": 8}, ["Failed", "KeyError", "8"]),
        ({"target_type": "lesson", "target_id": TARGET}, ["deleted lesson"]),
    ],
)
def test_a_row_says_what_became_of_it(app: Flask, columns: dict[str, object], words: list[str]) -> None:
    make_event(**columns)
    text = page_of(browser().get("/admin/event/")).text("tbody")
    assert [word for word in ["video.asset.ready", *words] if word not in text] == []


def test_events_are_in_the_order_of_their_coming_and_on_one_page_each(app: Flask) -> None:
    """Whatever order they were made in: an event that was imported later may have come earlier."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(45):
        make_event(mux_event_id=f"{number:02}", received_at=begun - timedelta(minutes=number // 2))
    admin = browser()
    address, seen = "/admin/event/?page_size=20", []
    while address:
        seen += [name.split()[1] for name in titles(admin, address)]
        last, address = address, link(admin, address, "next")
    assert len(set(seen)) == len(seen) == 45
    assert [int(one) // 2 for one in seen] == sorted(number // 2 for number in range(45))
    before = [name.split()[1] for name in titles(admin, link(admin, last, "prev"))]
    assert before == seen[20:40]


def test_a_list_reads_no_payload(app: Flask) -> None:
    """One may be long, and a page shows many."""
    make_event()
    admin = browser()
    with counted() as sent:
        admin.get("/admin/event/")
    asked = [one for one in sent if "mux_events.mux_event_id" in one]
    assert asked
    assert [one for one in asked if "payload" in one] == []


def test_its_page_shows_what_mux_sent_as_it_was_sent(app: Flask) -> None:
    """In the order of its keys, other letters as they are, and nothing of it as markup."""
    lesson = make_lesson(title="Circles")
    payload = {"type": "video.asset.ready", "data": {"title": "<b>Größe</b>", "at": 1}}
    event = make_event(target_type="lesson", target_id=lesson.id, error="KeyError: x", payload=payload)
    page = page_of(browser().get(f"/admin/event/details/?id={event.id}"))
    shown = page.text("pre")
    assert "Größe" in shown
    assert "<b>" in shown
    assert page.all("b") == []
    assert page.all("a", href=f"/admin/lesson/details/?id={lesson.id}")
    assert "It could not be applied.KeyError: x" in page.text("main")


def test_its_page_says_what_is_left_out_as_it_is_left_out(app: Flask) -> None:
    """An address of a place, say, is no secret and stays; what was removed is named by its key."""
    sent = {
        "id": "ev1",
        "type": "video.upload.created",
        "address": "Hill 1",
        "data": {"url": "https://x", "token": "t"},
    }
    event = make_event(payload=mux.read_stored_event(sent).payload)
    text = page_of(browser().get(f"/admin/event/details/?id={event.id}")).text("main")
    assert (
        "replaced by [removed]: the values of private_key, secret, signing_secret, stream_key, token, url."
        in text
    )
    assert '"address": "Hill 1"' in text
    assert '"url": "[removed]"' in text
    assert "https://x" not in text


def test_an_event_about_nothing_leads_nowhere(app: Flask) -> None:
    event = make_event()
    page = page_of(browser().get(f"/admin/event/details/?id={event.id}"))
    assert [link for link in page.all("a") if "/details/" in (link["href"] or "")] == []
    assert "It could not be applied" not in page.text("main")


def test_its_file_holds_no_payload(app: Flask) -> None:
    make_event(mux_event_id="ev1", payload={"secret": "x"})
    (row,) = exported(browser(), "event")
    assert row["Id at Mux"] == "ev1"
    assert not {name for name in row if "ayload" in name}
