"""A file is saved by the browser, whatever it holds, and arrives whole."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.models import LessonFile
from tests.factories import in_context, make_playing_lesson, make_user, signed_in

pytestmark = pytest.mark.usefixtures("app")
PAGE = b"<!doctype html><script>alert(1)</script>" * 30_000  # more than a part


def give_file(name: str, data: bytes) -> tuple[FlaskClient, LessonFile]:
    teacher = make_user()
    lesson = make_playing_lesson(creator=teacher, price_cents=0)
    with in_context(), transaction(Actor.user(teacher.id)):
        file = files.add_whole(teacher, lesson.id, name=name, data=data)
    return signed_in(make_user(role="student")), file


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("page.html", "text/html"),
        ("süß “x”.pdf", "application/pdf"),
        ("no ending", "application/octet-stream"),
    ],
)
def test_it_is_an_attachment_that_runs_nothing(name: str, mimetype: str) -> None:
    browser, file = give_file(name, PAGE)
    answer = browser.get(f"/catalog/{file.lesson_id}/files/{file.id}")
    assert (answer.status_code, answer.data) == (200, PAGE)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Length"] == str(len(PAGE))
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == mimetype
    assert "no-store" in answer.headers["Cache-Control"]
