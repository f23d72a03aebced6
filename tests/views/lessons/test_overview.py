"""The list of lessons."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_course, make_lesson
from tests.pages import page_of

pytestmark = pytest.mark.usefixtures("app")


def test_odd_options_of_the_list_are_read_as_none(browser: FlaskClient, instructor: User) -> None:
    make_lesson(creator=instructor, title="Bread", course=make_course(instructor=instructor, title="Baking"))
    for query in ("page=0", "page=-1", "page=x", "page=99999999", "sort=evil", "state=evil", "page=٣"):
        answer = browser.get(f"/lessons?{query}")
        assert answer.status_code == 200, query
        assert "Baking" in page_of(answer).text("table"), query
