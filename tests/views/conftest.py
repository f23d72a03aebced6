"""What the tests of pages share: an instructor, their browser, and a course of theirs."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.domain.models import Course, User
from tests.factories import make_course, make_lesson, make_user, signed_in


@pytest.fixture
def instructor(app: Flask) -> User:
    return make_user()


@pytest.fixture
def browser(instructor: User) -> FlaskClient:
    return signed_in(instructor)


@pytest.fixture
def course(instructor: User) -> Course:
    """With the lessons A, B, C and D, in this order."""
    made = make_course(instructor=instructor)
    for position, title in enumerate("ABCD", start=1):
        make_lesson(creator=instructor, course=made, title=title, position=position)
    return made
