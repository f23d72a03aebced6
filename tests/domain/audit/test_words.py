"""Audit rows, events and calls in words: changes before and after, prices as they are read, nothing left out silently."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from lessonadmin.domain.audit import words

pytestmark = pytest.mark.usefixtures("settings")  # prices are in its currency

NOW = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ({"before": {"title": "Old"}, "after": {"title": "New"}}, "title: “Old” → “New”"),
        ({"before": {"title": ""}, "after": {"title": "New"}}, "title: nothing → “New”"),
        (
            {"before": {"sections": ["Basics"]}, "after": {"sections": ["Basics", "Rye"]}},
            "sections: “Basics” → “Basics”, “Rye”",
        ),
        ({"before": {"muted": []}, "after": {"muted": ["ready"]}}, "muted: nothing → “ready”"),
        ({"before": {"drm": False}, "after": {"drm": True}}, "drm: no → yes"),
        ({"before": {"place": None}, "after": {"place": {"x": 1}}}, "place: nothing → x = 1"),
        ({"error_type": "asset_errored"}, "error: asset errored"),
        ({"found_by": "sweep"}, "found by checking with Mux"),
        ({"price_cents": 999, "upload_id": "u1"}, "price: EUR\u00a09.99; upload: u1"),
        ({"by_itself": True}, "automatically"),
        ({"only": True}, "only: yes"),
        ({"batch": "b1"}, "by bulk action b1"),
        ({}, ""),
    ],
)
def test_details_are_one_line(detail: dict[str, object], line: str) -> None:
    assert words.details_of(detail) == line


def test_an_entry_alone_shows_a_list_in_words() -> None:
    changed = words.changes_of({"before": {"sections": []}, "after": {"sections": ["Basics", "Rye"]}})
    assert changed == [("sections", "nothing", "Basics, Rye")]


@pytest.mark.usefixtures("settings")
def test_prices_are_shown_as_prices() -> None:
    line = words.details_of({"before": {"price_cents": 500}, "after": {"price_cents": 750}})
    assert line.startswith("price: ")
    assert "EUR\u00a07.50" in line
    assert "750" not in line.replace("7.50", "")


@pytest.mark.parametrize(
    ("kind", "email", "name"),
    [
        ("user", "a@x.example", "a@x.example"),
        ("user", None, "a removed account"),
        ("job", None, "background job"),
    ],
)
def test_the_actor_has_a_name(kind: str, email: str | None, name: str) -> None:
    assert words.actor_words(kind, email) == name


@pytest.mark.parametrize(("outcome", "bad"), [("applied", False), ("unmatched", True), ("failed", True)])
def test_an_event_that_could_not_be_applied_is_marked(outcome: str, bad: bool) -> None:
    row = SimpleNamespace(
        type="video.asset.ready", outcome=outcome, occurred_at=NOW - timedelta(seconds=60), received_at=NOW,
        attempts=2, error=None,
    )  # fmt: skip
    event, detail, marked = words.event_words(row)
    assert (event, marked) == ("Event video.asset.ready", bad)
    assert "60 s after it happened" in detail
    assert "2 attempts" in detail


def test_a_call_that_failed_says_how() -> None:
    assert words.call_words("get_asset", "ok") == ("Checked video with Mux", False)
    assert words.call_words("get_asset", "rate_limit") == ("Checked video with Mux: rate limit", True)
