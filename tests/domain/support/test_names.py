"""Titles and addresses of many rows at once."""

import uuid
from types import SimpleNamespace

from lessonadmin.domain.support.names import names_of
from tests.factories import make_course, make_lesson, make_user


def test_titles_and_addresses_of_what_rows_refer_to(session: object) -> None:
    lesson, course, user = (
        make_lesson(title="Circles"),
        make_course(title="Drawing"),
        make_user(email="a@b.example"),
    )
    about_lesson = SimpleNamespace(target_type="lesson", target_id=lesson.id)
    about_course = SimpleNamespace(target_type="course", target_id=course.id)
    gone = SimpleNamespace(target_type="lesson", target_id=uuid.uuid4())
    nothing = SimpleNamespace(target_type=None, target_id=None)
    names = names_of([about_lesson, about_course, gone, nothing], users=[user.id, None])
    assert [names.title(row) for row in (about_lesson, about_course, gone, nothing)] == [
        "Circles",
        "Drawing",
        None,
        None,
    ]
    assert names.email(user.id) == "a@b.example"
    assert names.email(None) == names.email(uuid.uuid4()) == ""
