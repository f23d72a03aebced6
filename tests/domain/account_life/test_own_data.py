"""One's own data: all that is held of a person, nothing of others, no secret, and that it was asked for is on record."""

import json

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.account_life import own_data
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import entrance
from tests.domain.account_life.support import actions_of
from tests.factories import PASSWORD, make_lesson, make_playing_lesson, make_purchase, make_token, make_user

pytestmark = pytest.mark.usefixtures("session")


def document(user: User) -> dict[str, object]:
    with transaction(Actor.user(user.id)):
        return own_data.document(user)


def test_it_has_what_is_theirs_and_nothing_else(session: Session) -> None:
    user, other = make_user(name="Ada"), make_user(name="Bob the other")
    make_lesson(creator=user, title="Mine")
    make_lesson(creator=other, title="Theirs")
    make_purchase(make_playing_lesson(title="Bought"), user)
    token = make_token(user)
    browser = entrance.Browser(address="192.0.2.1", user_agent="Firefox")
    secret = entrance.by_password(email=user.email, password=PASSWORD, browser=browser).secret
    found = document(user)
    text = json.dumps(found)
    for held in (
        "Ada",
        user.email,
        "Mine",
        "Bought",
        "192.0.2.1",
        "Firefox",
        "user.signed_in",
        "user.token_created",
    ):
        assert held in text
    for hidden in ("Theirs", "Bob", token, secret, "argon2", "_hash"):
        assert hidden not in text
    assert found["not_complete"] == []
    assert actions_of(user)[-1] == "user.data_downloaded"


def test_a_list_that_ends_early_says_so(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "MAX_ROWS", 2)
    user = make_user()
    for title in ("One", "Two", "Three"):
        make_lesson(creator=user, title=title)
    found = document(user)
    assert [row["title"] for row in found["lessons"]] == ["Three", "Two"]  # type: ignore[attr-defined]  # a list
    assert found["not_complete"] == ["lessons"]
