"""Known browsers: the first one is quiet, another one is told of once, and one that only lost its cookie is not."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.accounts import known_browsers
from lessonadmin.domain.models import KnownBrowser, Notification, User
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("session")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
NEWER_FIREFOX = FIREFOX.replace("130.0", "131.0")
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17) Version/17 Mobile Safari/604"
HOME, AWAY = "198.51.100.7", "203.0.113.9"


def signs_in(user: User, secret: str, agent: str = FIREFOX, address: str = HOME) -> list[str]:
    """What the user is told by this sign-in."""
    before = set(db.session.scalars(select(Notification.id)))
    with transaction(Actor.user(user.id)):
        known_browsers.remember(user, secret, address=address, user_agent=agent)
    rows = select(Notification.id, Notification.message).where(Notification.user_id == user.id)
    return [message for id_, message in db.session.execute(rows) if id_ not in before]


def grow_old(days: int) -> None:
    db.session.execute(
        update(KnownBrowser).values(last_used_at=text(f"clock_timestamp() - interval '{days} days'"))
    )
    db.session.commit()


def test_the_first_browser_of_all_is_not_told_of() -> None:
    assert signs_in(make_user(), "one") == []


def test_another_browser_is_told_of_once() -> None:
    user = make_user()
    signs_in(user, "one")
    (told,) = signs_in(user, "two", SAFARI, AWAY)
    assert told.startswith(
        "Your account was signed in to from a browser that it was not used in before: Safari on iPhone"
        " (network address 203.0.113.9)."
    )
    assert signs_in(user, "two", SAFARI, "192.0.2.1") == []


@pytest.mark.parametrize(
    ("agent", "address", "tells"),
    [
        (FIREFOX, HOME, False),
        (NEWER_FIREFOX, HOME, False),
        (FIREFOX, AWAY, True),
        (SAFARI, HOME, True),
    ],
    ids=["the same", "a newer version", "elsewhere", "another browser"],
)
def test_a_browser_without_its_cookie_is_known_by_name_and_network(
    agent: str, address: str, tells: bool
) -> None:
    user = make_user()
    signs_in(user, "one")
    assert bool(signs_in(user, "lost", agent, address)) is tells


def test_after_90_days_a_browser_is_new_again_though_it_is_the_only_one() -> None:
    user = make_user()
    signs_in(user, "one")
    grow_old(91)
    assert known_browsers.find(email=user.email, secret="one") is None
    assert len(signs_in(user, "one")) == 1
    assert known_browsers.find(email=user.email, secret="one") is not None


def test_it_is_found_for_its_account_alone_and_by_its_hash() -> None:
    user, other = make_user(email="Ada@School.example"), make_user()
    signs_in(user, "one")
    assert known_browsers.find(email="ada@school.example", secret="one")
    assert known_browsers.find(email=other.email, secret="one") is None
    assert known_browsers.find(email="ada@school.example", secret="two") is None
    assert known_browsers.find(email="nobody@school.example", secret="one") is None
    stored = db.session.scalars(select(KnownBrowser.secret_hash)).one()
    assert "one" not in stored


def test_two_accounts_may_use_one_browser(session: Session) -> None:
    ada, bob = make_user(), make_user()
    assert signs_in(ada, "one") == signs_in(bob, "one") == []
    assert session.query(KnownBrowser).count() == 2
    assert known_browsers.find(email=ada.email, secret="one") != known_browsers.find(
        email=bob.email, secret="one"
    )
