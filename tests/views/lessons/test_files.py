"""The page of a lesson's files."""

import io
import re

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_playing_lesson, make_purchase, make_user, signed_in
from tests.pages import csrf_of, page_of, post

pytestmark = pytest.mark.usefixtures("app")


def add(browser: FlaskClient, lesson_id: object, *chosen: tuple[str, bytes]) -> str:
    files = [(io.BytesIO(data), name) for name, data in chosen]
    answer = browser.post(
        f"/lessons/{lesson_id}/files",
        data={"csrf_token": csrf_of(browser, "/account"), "file": files},
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    page_of(answer)
    return str(answer.text)


def test_without_scripts_files_are_added_removed_and_restored(browser: FlaskClient, instructor: User) -> None:
    lesson = make_playing_lesson(creator=instructor, price_cents=900)
    assert "This lesson has no files yet" in browser.get(f"/lessons/{lesson.id}/files").text
    html = add(browser, lesson.id, ("Recipe.pdf", b"abc"), ("List.txt", b"x" * 2000))
    assert "The files are added." in html
    assert "2 kB" in html
    file_id = re.findall(r"/files/([0-9a-f-]{36})/remove", html)[0]

    buyer, visitor = make_user(role="student"), make_user(role="student")
    make_purchase(lesson, buyer)
    shown = signed_in(buyer).get(f"/catalog/{lesson.id}").text
    assert "Recipe.pdf" in shown
    assert f"/catalog/{lesson.id}/files/{file_id}" in shown
    assert "Recipe.pdf" not in signed_in(visitor).get(f"/catalog/{lesson.id}").text
    assert signed_in(visitor).get(f"/catalog/{lesson.id}/files/{file_id}").status_code == 403
    assert signed_in(buyer).get(f"/catalog/{lesson.id}/files/{file_id}").data == b"abc"

    for act, words in (("remove", "is removed"), ("restore", "is restored")):
        assert post(browser, f"/lessons/{lesson.id}/files/{file_id}/{act}").status_code == 302
        assert words in browser.get(f"/lessons/{lesson.id}/files").text
        seen = "Recipe.pdf" in signed_in(buyer).get(f"/catalog/{lesson.id}").text
        assert seen is (act == "restore")


@pytest.mark.parametrize(
    ("chosen", "words"), [((), "Choose a file first."), ((("a.txt", b""),), "“a.txt” is empty.")]
)
def test_what_is_refused_says_why(
    browser: FlaskClient, instructor: User, chosen: tuple[tuple[str, bytes], ...], words: str
) -> None:
    lesson = make_playing_lesson(creator=instructor)
    assert words in add(browser, lesson.id, *chosen)


def test_a_file_that_does_not_fit_into_a_request_is_too_large_without_scripts(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_playing_lesson(creator=instructor)
    answer = browser.post(
        f"/lessons/{lesson.id}/files",
        data=b"x" * 3 * 1024**2,
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 413


def test_others_have_no_such_page() -> None:
    lesson = make_playing_lesson()
    assert signed_in(make_user()).get(f"/lessons/{lesson.id}/files").status_code == 404
