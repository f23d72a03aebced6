"""Invitations: nothing else opens the account, the link works once for a week, and it can be sent again or withdrawn."""

import threading

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.account_life import forgotten_password, invitations, link_mail
from lessonadmin.domain.accounts import administration, links, passwords, sign_in, tokens, users
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import entrance
from tests.domain.account_life.support import NEW, actions_of, arrives, time_passes, told
from tests.factories import make_user
from tests.postbox import Postbox

pytestmark = pytest.mark.usefixtures("session")
EMAIL = "new@school.example"


def invite(name: str = "Nia") -> tuple[User, str | None]:
    with transaction(CLI):
        return invitations.invite(email=EMAIL, role="instructor", name=name)


def opens(secret: str | None) -> bool:
    try:
        invitations.look(secret or "")
    except links.LinkEnded:
        return False
    return True


def state(user: User) -> str:
    db.session.rollback()
    db.session.refresh(user)
    found = invitations.state_of(user)
    return found.state if found else "accepted"


def signs_in(password: str) -> bool:
    try:
        browser = entrance.Browser(address="", user_agent="")
        entrance.by_password(email=EMAIL, password=password, browser=browser)
    except sign_in.WrongCredentials:
        return False
    return True


def test_the_whole_way(box: Postbox) -> None:
    user, shown = invite()
    assert shown is None, "the admin does not see it"
    assert state(user) == "waits_for_mail"
    secret = arrives(box)
    assert box.received[0].to == [EMAIL]
    assert state(user) == "open"
    invitations.accept(secret, name="Nia Nova", new=NEW)
    assert state(user) == "accepted"
    assert user.name == "Nia Nova"
    assert signs_in(NEW)
    assert not opens(secret)
    assert actions_of(user) == ["user.created", "user.invited", "user.invitation_accepted", "user.signed_in"]
    with pytest.raises(links.LinkEnded):
        invitations.accept(secret, name="Eve", new="another long password of mine")


def test_without_mail_the_link_is_for_the_admin_to_pass_on(session: Session) -> None:
    user, secret = invite()
    assert opens(secret)
    found = invitations.state_of(user)
    assert found is not None
    assert (found.state, found.by_mail) == ("open", False)
    assert link_mail.send_due() == 0


def test_until_it_is_accepted_nothing_else_opens_the_account(box: Postbox) -> None:
    user, _ = invite()
    with pytest.raises(Conflict, match="invitation"), transaction(CLI):
        tokens.create(user)
    forgotten_password.ask(email=EMAIL, address="")
    assert link_mail.send_due() == 1, "the invitation, and no link for a password"
    assert "invited" in box.received[0].mail["Subject"]
    # whatever proves who it is, a session is refused
    user.password_hash = passwords.hashed(NEW)
    db.session.commit()
    assert not signs_in(NEW)


def test_it_lives_for_7_days(box: Postbox) -> None:
    user, _ = invite()
    secret = arrives(box)
    time_passes(7 * 86_400 - 60)
    assert opens(secret)
    time_passes(61)
    assert not opens(secret)
    assert state(user) == "expired"
    with pytest.raises(links.LinkEnded):
        invitations.accept(secret, name="", new=NEW)


def test_sent_again_the_former_link_ends(box: Postbox) -> None:
    user, _ = invite()
    first = arrives(box)
    with transaction(CLI):
        assert invitations.send_again(None, user) is None
    assert not opens(first)
    assert opens(arrives(box))


def test_withdrawn_it_opens_nothing_and_can_be_sent_again(session: Session) -> None:
    user, secret = invite()
    with transaction(CLI):
        invitations.withdraw(None, user)
    assert not opens(secret)
    assert state(user) == "ended"
    assert actions_of(user)[-1] == "user.invitation_withdrawn"
    with transaction(CLI):
        invitations.withdraw(None, user)
        again = invitations.send_again(None, user)
    assert actions_of(user).count("user.invitation_withdrawn") == 1
    assert opens(again)


def test_a_temporary_password_takes_the_place_of_the_invitation(session: Session) -> None:
    user, secret = invite()
    with transaction(CLI):
        password = users.reset_password(user)
    assert not opens(secret)
    assert state(user) == "accepted"
    assert signs_in(password)


def test_disabled_or_with_another_address_it_ends(session: Session) -> None:
    user, secret = invite()
    with transaction(CLI):
        administration.set_email(None, user.id, "other@school.example")
    assert not opens(secret)
    with transaction(CLI):
        again = invitations.send_again(None, user)
        administration.set_active(None, user.id, False)
    assert not opens(again)
    with pytest.raises(Conflict, match="disabled"), transaction(CLI):
        invitations.send_again(None, user)


def test_only_who_is_invited_is_invited_again(session: Session) -> None:
    user, admin = make_user(), make_user(role="admin")
    for act in (invitations.send_again, invitations.withdraw):
        with pytest.raises(Conflict, match="no invitation"), transaction(Actor.user(admin.id)):
            act(admin, user)
    assert invitations.state_of(user) is None


def test_a_password_that_is_refused_leaves_the_invitation_and_the_name(session: Session) -> None:
    user, secret = invite()
    with pytest.raises(Invalid):
        invitations.accept(secret or "", name="Eve", new="eve-school-1")
    with pytest.raises(Invalid):
        invitations.accept(secret or "", name="x" * 101, new=NEW)
    assert opens(secret)
    assert state(user) == "open"
    assert user.name == "Nia"


def test_of_two_at_once_one_comes_too_late(app: Flask) -> None:
    _, secret = invite()
    start, results = threading.Barrier(2), []

    def accept(name: str) -> None:
        with app.app_context():
            start.wait()
            try:
                invitations.accept(secret or "", name=name, new=NEW)
                results.append(name)
            except links.LinkEnded:
                results.append("")

    threads = [threading.Thread(target=accept, args=(name,)) for name in ("Ada", "Bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, results)) == [False, True]


def test_it_tells_no_one_of_an_account_but_the_invited(session: Session) -> None:
    make_user(email=EMAIL)
    with pytest.raises(Conflict, match="already"):
        invite()
    assert told(make_user()) == []
