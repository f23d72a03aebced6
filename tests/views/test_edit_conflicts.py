"""Who is named when another user or tab saved in between."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_course, make_user, signed_in
from tests.pages import page_of, post

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(("role", "named"), [("support", "Support"), ("instructor", "You, in another tab")])
def test_a_conflict_says_who_saved(browser: FlaskClient, instructor: User, role: str, named: str) -> None:
    course = make_course(instructor=instructor, title="Bread")
    address = f"/courses/{course.id}/edit"
    first = browser if role == "instructor" else signed_in(make_user(role=role, name="Sue"))
    assert post(first, address, title="Bread, slowly", description="", version="1").status_code == 302
    answer = post(browser, address, title="Bread, quickly", description="", version="1")
    assert f"{named}" in page_of(answer).text("h2")
    seen_by_staff = post(signed_in(make_user(role="admin")), address, title="B", description="", version="1")
    assert ("Sue" if role == "support" else instructor.name) in page_of(seen_by_staff).text("h2")
