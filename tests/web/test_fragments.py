"""A part of a page is asked for by a header and answered under its name."""

import pytest
from flask import Flask

from lessonadmin.web import fragments


@pytest.mark.parametrize(("headers", "wanted"), [({"X-Fragment": "video"}, True), ({}, False)])
def test_the_header_asks_for_a_part(app: Flask, headers: dict[str, str], wanted: bool) -> None:
    with app.test_request_context(headers=headers):
        assert fragments.wanted() is wanted


def test_the_status_travels_beside_the_connection_s(app: Flask) -> None:
    with app.test_request_context():
        answer = fragments.answer("<p>x</p>", name="form", status=400, address="/lessons/1")
    assert answer.status_code == 200
    assert (answer.headers["X-Fragment"], answer.headers["X-Status"]) == ("form", "400")
    assert answer.headers["Location"] == "/lessons/1"
    assert answer.get_data(as_text=True) == "<p>x</p>"
