"""Which answers go out compressed, and what a compressed one never has."""

import gzip
import re

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.domain.models import User
from lessonadmin.security import compression
from tests.factories import make_lesson, make_tracking, make_user, signed_in
from tests.pages import Page, csrf_of, page_of

OWN = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}
MASKED = re.compile(r"m\.[\w-]{100,}")


@pytest.fixture
def instructor(app: Flask) -> User:
    return make_user()


@pytest.fixture
def browser(instructor: User) -> FlaskClient:
    return signed_in(instructor)


def packed(response: TestResponse) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


def unpacked(response: TestResponse) -> str:
    assert packed(response)
    return gzip.decompress(response.data).decode()


def test_a_page_is_small_whole_and_says_what_it_depends_on(browser: FlaskClient) -> None:
    plain, small = browser.get("/lessons"), browser.get("/lessons", headers=OWN)
    assert not packed(plain)
    assert len(small.data) < len(plain.data) / 2
    assert int(small.headers["Content-Length"]) == len(small.data)
    assert Page(unpacked(small)).text("h1") == page_of(plain).text("h1")
    for response in (plain, small):
        assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(response.vary)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None},
        {"Accept-Encoding": "gzip;q=0, identity"},
        {"Accept-Encoding": "br"},
    ],
    ids=str,
)
def test_it_is_not_compressed_for_other_sites_or_for_who_cannot_read_it(
    browser: FlaskClient, headers: dict[str, str | None]
) -> None:
    given = {name: value for name, value in {**OWN, **headers}.items() if value is not None}
    assert not packed(browser.get("/lessons", headers=given))


def test_the_answer_to_a_form_is_not_compressed(browser: FlaskClient) -> None:
    form = {"csrf_token": csrf_of(browser, "/account"), "title": "reflected", "price": "much"}
    answer = browser.post("/lessons/new", data=form, headers=OWN)
    assert "reflected" in answer.text
    assert not packed(answer)


def test_head_has_the_same_headers_and_no_body(browser: FlaskClient) -> None:
    answer = browser.head("/lessons", headers=OWN)
    assert packed(answer)
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) > compression.SMALLEST


def test_an_unchanged_part_of_a_page_is_an_empty_answer_all_the_same(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_lesson(creator=instructor, video_processing_status="processing")
    make_tracking(lesson, status="processing", mux_asset_id="a")
    headers = {**OWN, "X-Fragment": "video"}
    first = browser.get(f"/lessons/{lesson.id}/video?attempt=0", headers=headers)
    assert "Mux is processing" in unpacked(first)
    again = browser.get(
        f"/lessons/{lesson.id}/video?attempt=1", headers={**headers, "If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data, packed(again)) == (304, b"", False)


@pytest.mark.parametrize("kind", ["small", "streamed", "json", "packed"])
def test_what_is_small_streamed_no_page_or_packed_already_is_left_alone(app: Flask, kind: str) -> None:
    body = "<p>words</p>" * 200
    answers = {
        "small": Response("<p>words</p>", mimetype="text/html"),
        "streamed": Response(iter([body]), mimetype="text/html"),
        "json": Response(body, mimetype="application/json"),
        "packed": Response(body, mimetype="text/html", headers={"Content-Encoding": "br"}),
    }
    with app.test_request_context(headers=OWN):
        answer = app.process_response(answers[kind])
    assert answer.headers.get("Content-Encoding") in (None, "br")


def test_an_export_is_streamed_as_it_is(app: Flask) -> None:
    make_lesson(creator=make_user())
    answer = signed_in(make_user(role="support")).get("/admin/lesson/export/csv/", headers=OWN)
    assert (answer.status_code, packed(answer)) == (200, False)


def test_two_answers_hold_different_tokens_and_each_is_accepted(browser: FlaskClient) -> None:
    """So nothing that is secret in a compressed page is the same twice, beside whatever a visitor had it show."""
    pages = [Page(unpacked(browser.get("/lessons?q=reflected-words", headers=OWN))) for _ in range(3)]
    tokens = {page.csrf for page in pages}
    assert len(tokens) == 3
    for page in pages:
        assert "reflected-words" in page.html
        assert set(MASKED.findall(page.html)) == {page.csrf}
        answer = browser.post("/lessons/new", data={"csrf_token": page.csrf, "title": ""})
        assert "Please fix" in answer.text  # with the form, not with its token


def test_lengths_of_the_same_page_are_blurred() -> None:
    assert len({len(compression.compressed(b"words " * 500)) for _ in range(60)}) > 10
