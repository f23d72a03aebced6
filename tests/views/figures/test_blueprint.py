"""Whose figures an address may ask for: what is foreign and what does not exist look the same."""

import uuid

from flask.testing import FlaskClient

from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson, make_user, signed_in

PAGES = ("/figures", "/figures/days.csv", "/figures/lessons.csv")


def test_what_is_foreign_does_not_exist(browser: FlaskClient, lesson: Lesson) -> None:
    foreign = make_lesson()
    addresses = [
        f"/lessons/{foreign.id}/figures",
        f"/lessons/{foreign.id}/figures/days.csv",
        *(f"{page}?instructor={who}" for page in PAGES for who in (foreign.creator_id, uuid.uuid4(), "x")),
    ]
    assert {address: browser.get(address).status_code for address in addresses} == dict.fromkeys(
        addresses, 404
    )
    assert browser.get(f"/figures?instructor={lesson.creator_id}").status_code == 200
    assert signed_in(make_user(role="student")).get("/figures").status_code == 302
