"""The first page of the panel, over HTTP: spans of time, a fragment for an open page, alarms and signs in words."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.admin.pages import dashboard as page_module
from lessonadmin.db import JOB, transaction
from lessonadmin.domain import heartbeats, hourly_statistics
from lessonadmin.domain.health import alarms, dashboard
from lessonadmin.domain.models import Alarm, AssetDeletion
from tests.admin.samples import browser
from tests.factories import keep, make_lesson, make_playing_lesson, make_tracking
from tests.pages import Page, page_of

OPERATIONS = "/admin/"


@pytest.fixture
def support(app: Flask, session: object, redis_url: str) -> FlaskClient:
    return browser("support")


def current_span(page: Page) -> list[str | None]:
    return [link["href"] for link in page.all("a") if link.get("aria-current") == "page" and "span=" in (link["href"] or "")]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "span"),
    [("", "24h"), ("?span=24h", "24h"), ("?span=7d", "7d"), ("?span=30d", "30d"), ("?span=1y", "24h"), ("?span=", "24h")],
)  # fmt: skip
def test_a_span_is_one_that_is_offered(support: FlaskClient, query: str, span: str) -> None:
    page = page_of(support.get(OPERATIONS + query))
    assert current_span(page) == [f"/admin/?span={span}"]
    assert page.one("div", **{"data-js": "live"})["data-url"] == f"/admin/?span={span}"


def test_every_span_has_a_name() -> None:
    assert set(page_module.SPAN_NAMES) == set(dashboard.SPANS)


def test_an_open_page_is_given_its_part_of_this_span(support: FlaskClient) -> None:
    whole = page_of(support.get(f"{OPERATIONS}?span=7d"))
    part = support.get(f"{OPERATIONS}?span=7d", headers={"X-Fragment": "operations"})
    assert part.headers["X-Fragment"] == "operations"
    assert "<html" not in part.text
    fragment = Page(part.text)
    assert fragment.unclosed == []
    ids = [attrs["id"] for _, attrs in fragment.elements if attrs.get("id")]
    assert {"alarms", "signs", "figures", "queue", "webhooks", "mux"} <= set(ids)
    assert set(ids) <= {attrs.get("id") for _, attrs in whole.elements}


@pytest.mark.parametrize("name", ["", "case", "Operations"])
def test_another_fragment_is_answered_by_the_whole_page(support: FlaskClient, name: str) -> None:
    answer = support.get(OPERATIONS, headers={"X-Fragment": name})
    page_of(answer)
    assert "X-Fragment" not in answer.headers


def test_it_asks_again_after_a_while(support: FlaskClient) -> None:
    state = [attrs for _, attrs in page_of(support.get(OPERATIONS)).elements if "data-state" in attrs]
    assert [attrs["data-next"] for attrs in state] == ["3000"]


@pytest.mark.parametrize("kind", sorted(alarms.BY_NAME))
def test_an_alarm_says_what_is_wrong_and_what_to_do(support: FlaskClient, kind: str) -> None:
    keep(Alarm(kind=kind, message="It began at nine."))
    text = page_of(support.get(OPERATIONS)).text("main")
    for words in (alarms.BY_NAME[kind].title, "It began at nine.", alarms.BY_NAME[kind].what_to_do):
        assert words in text, words


def test_an_alarm_of_an_older_version_is_shown_by_its_name(support: FlaskClient) -> None:
    keep(Alarm(kind="no_tea", message="There is none."))
    text = page_of(support.get(OPERATIONS)).text("main")
    assert "no_tea" in text
    assert "There is none." in text


def test_signs_of_life_are_said_in_words(support: FlaskClient) -> None:
    text = page_of(support.get(OPERATIONS)).text("main")
    assert "No worker for a minute" in text
    assert "0 workers seen within a minute." in text
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    text = page_of(support.get(OPERATIONS)).text("main")
    assert "No worker for a minute" not in text
    assert "No clock for a minute" not in text
    assert "1 worker seen within a minute." in text


def test_why_videos_failed_leads_to_the_newest_example(support: FlaskClient) -> None:
    lessons = [make_lesson(video_processing_status="error") for _ in range(2)]
    for lesson in lessons:
        make_tracking(lesson, status="error", error_type="upload_timed_out")
    page = page_of(support.get(OPERATIONS))
    assert "2× The upload was not finished in time" in page.text("main")
    assert page.all("a", href=f"/admin/lesson/details/?id={lessons[1].id}")
    assert not page.all("a", href=f"/admin/lesson/details/?id={lessons[0].id}")


@pytest.mark.parametrize("path", ["bootstrap/bootstrap4/css/bootstrap.min.css", "admin/js/form.js"])
def test_flask_admins_own_files_are_not_served(support: FlaskClient, path: str) -> None:
    assert support.get(f"/admin/static/{path}").status_code == 404


def test_a_number_leads_to_the_list_that_holds_exactly_these_rows(support: FlaskClient) -> None:
    late = datetime.now(UTC) - timedelta(hours=3)
    for error_type in ("deleted_at_mux", "asset_errored"):
        make_lesson(video_processing_status="error", video_error_type=error_type)
    make_tracking(make_lesson(video_processing_status="uploading"), created_at=late)
    make_tracking(make_lesson(), status="cancelled", error_type="held", superseded_at=late)
    keep(AssetDeletion(mux_asset_id="going"))
    keep(AssetDeletion(mux_asset_id="gone", done_at=late))
    make_playing_lesson()
    figures = support.get(OPERATIONS).text.partition('id="figures"')[2].partition("</dl>")[0]
    links = re.findall(r'<a href="([^"]+)">([\d,]+)</a>', figures)
    assert dict(links) == {
        "/admin/lesson/?view=needs-attention": "4",
        "/admin/lesson/?view=stuck": "1",
        "/admin/lesson/?view=failed": "2",
        "/admin/deletion/?view=pending": "1",
    }
    for address, number in links:
        assert support.get(address).text.partition("<tbody>")[2].count("<tr") == int(number), address


def test_a_refused_signature_turns_its_sign_at_once(support: FlaskClient) -> None:
    signs = page_of(support.get(OPERATIONS)).html.partition('id="signs"')[2].partition("</ul>")[0]
    assert "Webhook signatures" in signs
    with transaction(JOB):
        hourly_statistics.add("rejected", "mismatch", 1)
    signs = page_of(support.get(OPERATIONS)).html.partition('id="signs"')[2].partition("</ul>")[0]
    assert "1 webhook signature refused lately" in signs
    assert "badge--bad" in signs.partition("1 webhook")[0].rpartition("<li>")[2]
