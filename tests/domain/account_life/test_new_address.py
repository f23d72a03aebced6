"""Another address: by the password and a link to the new one; the old one is told, works until then, and not after."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.account_life import link_mail, new_address
from lessonadmin.domain.accounts import administration, links, users
from lessonadmin.domain.errors import Conflict, Invalid, TooMany
from lessonadmin.domain.models import SignInFailure, User
from lessonadmin.domain.notifications import delivery
from tests.domain.account_life.support import actions_of, arrives, links_of, time_passes, told
from tests.factories import PASSWORD, make_user
from tests.postbox import Postbox

pytestmark = pytest.mark.usefixtures("session")
OLD, NEXT = "old@school.example", "next@home.example"


def ask(user: User, email: str = NEXT, password: str = PASSWORD) -> None:
    new_address.ask(user, password=password, email=email, address="198.51.100.7")


def mailed_to(box: Postbox) -> list[str]:
    delivery.send_due()
    return [one.to[0] for one in box.received]


def test_the_whole_way(box: Postbox) -> None:
    user = make_user(email=OLD)
    ask(user, f" {NEXT} ")
    assert new_address.waiting(user) == NEXT
    assert mailed_to(box) == [OLD], "told at once, while it can still be stopped"
    assert "If it was not you, change your password" in box.received[0].text
    secret = arrives(box)
    assert box.received[-1].to == [NEXT]
    assert user.email == OLD
    assert new_address.look(secret)[1] == NEXT
    assert new_address.confirm(secret) == NEXT
    assert users.find_by_email(OLD) is None
    assert new_address.waiting(user) is None
    box.received.clear()
    assert sorted(mailed_to(box)) == [NEXT, OLD]
    assert actions_of(user) == ["user.email_change_asked", "user.email_changed"]
    with pytest.raises(links.LinkEnded):
        new_address.confirm(secret)


def test_a_wrong_password_counts_and_asks_nothing(box: Postbox) -> None:
    user = make_user()
    with pytest.raises(Invalid) as refused:
        ask(user, password="wrong password")
    assert list(refused.value.fields) == ["current_password"]
    assert db.session.query(SignInFailure).count() == 1
    assert links_of(user) == []


@pytest.mark.parametrize("email", ["no address", "", OLD, OLD.upper()])
def test_a_slip_in_the_address_is_no_wrong_try(box: Postbox, email: str) -> None:
    user = make_user(email=OLD)
    with pytest.raises(Invalid) as refused:
        ask(user, email)
    assert list(refused.value.fields) == ["email"]
    assert db.session.query(SignInFailure).count() == 0


def test_a_taken_address_is_answered_alike_and_gets_no_mail(box: Postbox) -> None:
    user, _ = make_user(email=OLD), make_user(email=NEXT)
    ask(user, NEXT.upper())
    assert new_address.waiting(user) == NEXT.upper()
    assert link_mail.send_due() == 0
    assert box.received == []


def test_an_address_that_was_taken_meanwhile_is_not_taken_twice(box: Postbox) -> None:
    user = make_user(email=OLD)
    ask(user)
    secret = arrives(box)
    make_user(email=NEXT.upper())
    with pytest.raises(links.LinkEnded):
        new_address.confirm(secret)
    db.session.refresh(user)
    assert user.email == OLD


def test_a_new_password_stops_it(box: Postbox) -> None:
    user = make_user(email=OLD)
    ask(user)
    secret = arrives(box)
    with transaction(Actor.user(user.id)):
        users.change_password(user, old=PASSWORD, new="bread and butter on Sundays", keep=None)
    with pytest.raises(links.LinkEnded):
        new_address.confirm(secret)
    assert new_address.waiting(user) is None


def test_it_lives_for_a_day_and_can_be_cancelled(box: Postbox) -> None:
    user = make_user(email=OLD)
    ask(user)
    secret = arrives(box)
    time_passes(86_400 - 60)
    assert new_address.look(secret)
    time_passes(61)
    with pytest.raises(links.LinkEnded):
        new_address.look(secret)
    ask(user)
    secret = arrives(box)
    with transaction(Actor.user(user.id)):
        new_address.cancel(user)
        new_address.cancel(user)
    with pytest.raises(links.LinkEnded):
        new_address.confirm(secret)
    assert actions_of(user).count("user.email_change_cancelled") == 1


def test_it_is_limited_and_that_is_no_wrong_try(box: Postbox) -> None:
    user = make_user(email=OLD)
    for number in range(new_address.PER_HOUR):
        ask(user, f"n{number}@home.example")
    with pytest.raises(TooMany):
        ask(user)
    assert db.session.query(SignInFailure).count() == 0


def test_without_mail_only_an_admin_changes_it(session: Session) -> None:
    user, admin = make_user(email=OLD), make_user(role="admin")
    with pytest.raises(Conflict, match="administrator"):
        ask(user)
    with transaction(Actor.user(admin.id)):
        administration.set_email(admin, user.id, NEXT)
    assert users.find_by_email(NEXT) is not None
    assert any(admin.email in message for message in told(user))


def test_an_admin_changes_it_at_once_and_both_addresses_get_a_mail(box: Postbox) -> None:
    user = make_user(email=OLD)
    with transaction(CLI):
        administration.set_email(None, user.id, NEXT)
    assert sorted(mailed_to(box)) == [NEXT, OLD]
    to_old = next(one for one in box.received if one.to == [OLD])
    assert "tell an administrator at once" in to_old.text
    taken = make_user()
    with pytest.raises(Conflict, match="already"), transaction(CLI):
        administration.set_email(None, user.id, taken.email.upper())
