"""A forgotten password: no answer says who has an account, a link opens once, and whatever ends it ends it."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.account_life import forgotten_password, link_mail
from lessonadmin.domain.accounts import administration, links, passwords, sessions, sign_in, tokens, users
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, TooMany
from lessonadmin.domain.models import AccountLink, SignInFailure, User
from lessonadmin.domain.second_factor import entrance
from tests.domain.account_life.support import (
    NEW,
    PUBLIC_URL,
    actions_of,
    arrives,
    links_of,
    secrets_in,
    time_passes,
    told,
)
from tests.factories import PASSWORD, make_token, make_user
from tests.postbox import Postbox
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")
HERE = "198.51.100.7"


def ask(email: str, address: str = HERE) -> None:
    forgotten_password.ask(email=email, address=address)


def enter(email: str, password: str, address: str = HERE) -> str:
    browser = entrance.Browser(address=address, user_agent="")
    return entrance.by_password(email=email, password=password, browser=browser).secret


def opens(secret: str) -> bool:
    try:
        forgotten_password.look(secret)
    except links.LinkEnded:
        return False
    return True


def password_of(user: User, password: str) -> bool:
    db.session.rollback()
    db.session.refresh(user)
    return passwords.proves(user.password_hash, password)


def test_the_whole_way(box: Postbox) -> None:
    user = make_user(email="Ada@School.example")
    token = make_token(user)
    with transaction(CLI):
        session = sessions.begin(user, address="", user_agent="")
    ask(" ada@school.EXAMPLE")
    secret = arrives(box)
    (mail,) = box.received
    assert mail.to == ["Ada@School.example"]
    assert mail.mail["Subject"] == "Choose a new password"
    assert f"{PUBLIC_URL}/reset-password/{secret}\n" in mail.text
    assert secret not in str(vars(links_of(user)[0])), "the table has its hash"
    assert forgotten_password.look(secret).id == user.id
    forgotten_password.set_new(secret, NEW)
    assert password_of(user, NEW)
    assert sessions.by_session(session) is None
    assert tokens.whose(token) is None
    assert not opens(secret)
    assert actions_of(user)[-1] == "user.password_reset"
    assert "user.password_link_asked" in actions_of(user)
    assert any("by a link" in message for message in told(user))


@pytest.mark.parametrize(
    "columns",
    [
        None,
        {"active": False},
        {"password_hash": None},
        {"invited": True},
        {"deleted": True},
    ],
    ids=["unknown", "disabled", "without a password", "invited", "deleted"],
)
def test_every_address_costs_the_same_statements_and_only_an_account_gets_a_mail(
    box: Postbox, columns: dict[str, object] | None
) -> None:
    known, other = make_user(email="known@school.example"), "other@school.example"
    if columns is not None:
        user = make_user(email=other, **{k: v for k, v in columns.items() if k not in ("invited", "deleted")})
        for name in ("invited", "deleted"):
            if name in columns:
                setattr(user, f"{name}_at", user.created_at)
        db.session.commit()
    sent = []
    for email, address in ((known.email, HERE), (other, "203.0.113.9")):
        with counted() as statements:
            ask(email, address)
        sent.append(list(statements))
    assert sent[0] == sent[1]
    assert link_mail.send_due() == 1
    assert [one.to for one in box.received] == [["known@school.example"]]
    assert db.session.query(AccountLink).count() == 1


def test_limits_are_the_same_for_known_and_unknown(box: Postbox) -> None:
    make_user(email="known@school.example")
    for email in ("known@school.example", "unknown@school.example"):
        for number in range(forgotten_password.PER_ACCOUNT):
            ask(email, f"192.0.2.{number}")
        with pytest.raises(TooMany) as refused:
            ask(email.upper(), "192.0.2.99")
        assert 0 < refused.value.retry_after <= 3600
    for number in range(forgotten_password.PER_ADDRESS):
        ask(f"u{number}@school.example")
    with pytest.raises(TooMany):
        ask("another@school.example")


def test_what_is_no_address_is_said_and_not_counted(box: Postbox) -> None:
    for _ in range(20):
        with pytest.raises(Invalid):
            ask("no address")


def test_a_newer_request_ends_the_older_link(box: Postbox) -> None:
    user = make_user()
    ask(user.email)
    first = arrives(box)
    ask(user.email)
    assert not opens(first), "at once, before the new mail leaves"
    second = arrives(box)
    assert not opens(first)
    assert opens(second)


def set_own(user: User) -> None:
    with transaction(Actor.user(user.id)):
        users.change_password(user, old=PASSWORD, new="another long password of mine", keep=None)


def reset(user: User) -> None:
    with transaction(CLI):
        users.reset_password(user)


def disable(user: User) -> None:
    with transaction(CLI):
        administration.set_active(None, user.id, False)


def disable_and_enable(user: User) -> None:
    disable(user)
    with transaction(CLI):
        administration.set_active(None, user.id, True)


def change_address(user: User) -> None:
    with transaction(CLI):
        administration.set_email(None, user.id, "elsewhere@school.example")


@pytest.mark.parametrize("change", [set_own, reset, disable, disable_and_enable, change_address])
def test_whatever_changes_the_access_meanwhile_ends_the_link(
    box: Postbox, change: Callable[[User], None]
) -> None:
    user = make_user()
    ask(user.email)
    secret = arrives(box)
    assert opens(secret)
    change(user)
    assert not opens(secret)
    with pytest.raises(links.LinkEnded):
        forgotten_password.set_new(secret, NEW)
    assert not password_of(user, NEW)


def test_it_lives_for_30_minutes_by_the_clock_of_the_database_from_when_it_left(box: Postbox) -> None:
    user = make_user()
    ask(user.email)
    time_passes(3600)  # the mail was late
    secret = arrives(box)
    time_passes(29 * 60)
    assert opens(secret)
    time_passes(61)
    with pytest.raises(links.LinkEnded):
        forgotten_password.set_new(secret, NEW)


def test_a_password_that_is_refused_leaves_the_link(box: Postbox) -> None:
    user = make_user()
    ask(user.email)
    secret = arrives(box)
    for bad in ("short", "password12", user.email):
        with pytest.raises(Invalid):
            forgotten_password.set_new(secret, bad)
    assert opens(secret)


def test_of_two_at_once_one_comes_too_late(app: Flask, box: Postbox) -> None:
    user = make_user()
    ask(user.email)
    secret = arrives(box)
    start, results = threading.Barrier(2), []

    def use(new: str) -> None:
        with app.app_context():
            start.wait()
            try:
                forgotten_password.set_new(secret, new)
                results.append(new)
            except links.LinkEnded:
                results.append("")

    threads = [threading.Thread(target=use, args=(f"{NEW} {number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = filter(None, results)
    assert password_of(user, winner)


def test_wrong_tries_are_forgotten_with_the_password(box: Postbox) -> None:
    user = make_user()
    for number in range(10):
        with pytest.raises(sign_in.WrongCredentials):
            enter(user.email, "wrong", f"192.0.2.{number}")
    ask(user.email)
    forgotten_password.set_new(arrives(box), NEW)
    assert db.session.scalar(select(SignInFailure.id).limit(1)) is None
    assert enter(user.email, NEW)


def test_an_admin_sends_the_link_and_does_not_see_it(box: Postbox) -> None:
    admin, user = make_user(role="admin"), make_user()
    with transaction(Actor.user(admin.id)):
        assert forgotten_password.make_link(admin, user) is None
    assert opens(arrives(box))
    assert secrets_in(box)[0] not in str(told(user))
    assert told(user)[0].startswith(f"{admin.name} ({admin.email}) created a link")


def test_without_mail_an_admin_hands_it_over_and_it_lives_for_a_day(session: Session) -> None:
    admin, user = make_user(role="admin"), make_user()
    with transaction(Actor.user(admin.id)):
        secret = forgotten_password.make_link(admin, user)
    assert secret is not None
    time_passes(24 * 3600 - 60)
    assert opens(secret)
    time_passes(61)
    assert not opens(secret)
    assert link_mail.send_due() == 0


def test_a_link_is_made_for_others_only_and_where_it_opens_something(session: Session) -> None:
    admin = make_user(role="admin")
    with pytest.raises(Conflict, match="own account"), transaction(Actor.user(admin.id)):
        forgotten_password.make_link(admin, admin)
    support, user = make_user(role="support"), make_user()
    with pytest.raises(Forbidden), transaction(Actor.user(support.id)):
        forgotten_password.make_link(support, user)
    with pytest.raises(Conflict, match="disabled"), transaction(CLI):
        forgotten_password.make_link(None, make_user(active=False))
    with transaction(CLI):
        invited = users.create_user(email="new@school.example", role="student", invited=True)
    with pytest.raises(Conflict, match="invitation"), transaction(CLI):
        forgotten_password.make_link(None, invited)
