"""`/` sends each user to the first page of their role."""

import pytest

from tests.factories import make_user, signed_in

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    ("role", "page"),
    [("student", "/catalog"), ("instructor", "/lessons"), ("support", "/admin/"), ("admin", "/admin/")],
)
def test_each_role_begins_at_its_page(role: str, page: str) -> None:
    browser = signed_in(make_user(role=role))
    assert browser.get("/").location == page
    assert browser.get(page).status_code == 200
