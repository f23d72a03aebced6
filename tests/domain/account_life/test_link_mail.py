"""Links by mail: a server that is away delays them and loses none, and none is sent that would open nothing."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.account_life import forgotten_password, link_mail
from lessonadmin.domain.accounts import links
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.jobs import notices as jobs
from tests.domain.account_life.support import actions_of, links_of, make_due, secrets_in, time_passes
from tests.factories import make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
AWAY = "smtp://127.0.0.1:1"


def wants(kind: str = "password_reset", **columns: object) -> tuple[User, AccountLink]:
    user = make_user(**columns)
    with transaction(CLI):
        link = links.by_mail(user, kind, email=user.email)  # type: ignore[arg-type]  # one of the three
    return user, link


def test_a_server_that_is_away_is_asked_again_and_the_link_works_then(box: Postbox) -> None:
    user, _ = wants()
    with overridden(mail_url=AWAY):
        assert link_mail.send_due() == 0
        assert link_mail.send_due() == 0, "not before it is due"
    (row,) = links_of(user)
    assert (row.mailed_at, row.mail_attempts, row.mail_wanted) == (None, 1, True)
    assert "ConnectionRefusedError" in (row.mail_error or "")
    make_due()
    assert link_mail.send_due() == 1
    (secret,) = secrets_in(box)
    assert forgotten_password.look(secret).id == user.id
    make_due()
    assert link_mail.send_due() == 0, "it leaves once"


def test_a_mail_that_was_refused_gets_another_secret_at_the_next_try(box: Postbox) -> None:
    wants()
    box.after_data = "451 later"
    box.received.clear()
    assert link_mail.send_due() == 0
    box.after_data = "250 ok"
    make_due()
    assert link_mail.send_due() == 1
    assert len(secrets_in(box)) == 1
    assert forgotten_password.look(secrets_in(box)[0])


def test_an_address_that_does_not_exist_is_asked_once(box: Postbox) -> None:
    user, _ = wants()
    box.refuses[user.email] = "550 unknown"
    assert link_mail.send_due() == 0
    (row,) = links_of(user)
    assert not row.mail_wanted
    assert "550" in (row.mail_error or "")


@pytest.mark.parametrize(("kind", "days"), [("password_reset", 1), ("new_address", 1), ("invitation", 5)])
def test_after_some_time_it_is_given_up(box: Postbox, kind: str, days: int) -> None:
    user, _ = wants(kind)
    with overridden(mail_url=AWAY):
        link_mail.send_due()
        assert links_of(user)[0].mail_wanted
        time_passes(days * 86_400 + 60)
        link_mail.send_due()
    assert not links_of(user)[0].mail_wanted


def test_what_ended_meanwhile_is_not_sent(box: Postbox) -> None:
    ended, _ = wants()
    disabled, _ = wants()
    with transaction(CLI):
        links.end_open(ended)
    db.session.execute(update(User).where(User.id == disabled.id).values(active=False))
    db.session.commit()
    assert link_mail.send_due() == 0
    assert box.received == []
    assert links_of(disabled)[0].ended_at is not None


def test_two_workers_send_a_link_once(box: Postbox) -> None:
    wants()
    claimed = link_mail._claim()
    assert len(claimed) == 1
    assert link_mail.send_due() == 0
    assert box.received == []


def test_a_request_is_in_the_audit_log_with_where_it_came_from(box: Postbox) -> None:
    user = make_user()
    forgotten_password.ask(email=user.email, address="203.0.113.9")
    jobs.send_links()
    assert actions_of(user) == ["user.password_link_asked"]
    assert len(box.received) == 1


def test_without_a_mail_server_nothing_is_tried(session: Session) -> None:
    user, _ = wants()
    assert link_mail.send_due() == 0
    assert links_of(user)[0].mail_attempts == 0
    assert db.session.scalars(select(AccountLink.secret_hash)).one() is None
