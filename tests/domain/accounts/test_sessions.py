"""Sessions: twelve hours for all, half an hour without a request for staff, by the database's clock."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.accounts import sessions, tokens, users
from lessonadmin.domain.models import AuditLog, User, UserSession
from lessonadmin.domain.second_factor import entrance
from lessonadmin.domain.second_factor.entrance import Browser
from tests.factories import PASSWORD, make_user


def opened(user: User) -> str:
    with transaction(CLI):
        return sessions.begin(user, address="192.0.2.1", user_agent="A browser" * 100)


def age(session: Session, column: str, minutes: float) -> None:
    moved = getattr(UserSession, column) - text(f"interval '{minutes} minutes'")
    session.execute(update(UserSession).values({column: moved}))
    session.commit()


def test_the_secret_is_stored_as_a_hash_only(session: Session) -> None:
    secret = opened(make_user())
    row = session.scalars(select(UserSession)).one()
    assert secret not in (row.secret_hash, row.user_agent)
    assert len(row.user_agent) == 300
    assert len(secret) >= 40


@pytest.mark.parametrize("secret", ["", "x", "x" * 100_000, "\ud800", "\x00"])
def test_a_strange_secret_opens_nothing(session: Session, secret: str) -> None:
    opened(make_user())
    assert sessions.by_session(secret) is None
    assert tokens.whose(secret) is None


@pytest.mark.parametrize("role", ["student", "instructor", "support", "admin"])
def test_a_session_lives_twelve_hours(session: Session, role: str) -> None:
    secret = opened(make_user(role=role))
    age(session, "created_at", 12 * 60 - 1)
    assert sessions.by_session(secret) is not None
    age(session, "created_at", 2)
    assert sessions.by_session(secret) is None


@pytest.mark.parametrize(
    ("role", "lives"), [("student", True), ("instructor", True), ("support", False), ("admin", False)]
)
def test_half_an_hour_without_a_request_ends_a_session_of_staff(
    session: Session, role: str, lives: bool
) -> None:
    user = make_user(role=role)
    secret = opened(user)
    age(session, "last_seen_at", 31)
    assert (len(sessions.open_ones(user)) == 1) is lives
    assert (sessions.by_session(secret) is not None) is lives


def test_requests_keep_a_session_of_staff_alive(session: Session) -> None:
    secret = opened(make_user(role="support"))
    for _ in range(3):
        age(session, "last_seen_at", 20)
        assert sessions.by_session(secret) is not None


def test_a_request_without_a_user_keeps_no_session_alive(session: Session) -> None:
    secret = opened(make_user(role="support"))
    age(session, "last_seen_at", 20)
    assert sessions.by_session(secret, seen=False) is not None
    age(session, "last_seen_at", 20)
    assert sessions.by_session(secret, seen=False) is None


def test_being_seen_is_written_once_a_minute_and_not_at_every_request(session: Session) -> None:
    secret = opened(make_user())

    def seen() -> object:
        session.expire_all()
        return session.scalars(select(UserSession.last_seen_at)).one()

    before = seen()
    assert sessions.by_session(secret) is not None
    assert seen() == before
    age(session, "last_seen_at", 2)
    before = seen()
    assert sessions.by_session(secret) is not None
    assert seen() != before


def test_ending_counts_only_those_that_were_open(session: Session) -> None:
    user, other = make_user(), make_user()
    here, there, foreign = opened(user), opened(user), opened(other)
    known = sessions.by_session(here)
    assert known is not None
    with transaction(CLI):
        assert sessions.end_all(user, but=known[1].id) == 1
        assert sessions.end_all(user, but=known[1].id) == 0
    assert sessions.by_session(there) is None
    assert sessions.by_session(foreign) is not None
    assert [row.id for row in sessions.open_ones(user)] == [known[1].id]


def test_no_user_ends_the_session_of_another(session: Session) -> None:
    user, other = make_user(), make_user()
    secret = opened(user)
    known = sessions.by_session(secret)
    assert known is not None
    with transaction(CLI):
        assert sessions.end_all(other, only=known[1].id) == 0
    assert sessions.by_session(secret) is not None


def test_a_new_sign_in_ends_the_session_that_this_browser_had(session: Session) -> None:
    user = make_user()
    before = opened(user)
    known = sessions.by_session(before)
    assert known is not None
    browser = Browser("", "", session_id=known[1].id)
    after = entrance.by_password(email=user.email, password=PASSWORD, browser=browser).secret
    assert after != before
    assert sessions.by_session(before) is None
    assert sessions.by_session(after) is not None


def ended(session: Session) -> list[tuple[str, object, object]]:
    session.rollback()
    rows = session.scalars(select(AuditLog).where(AuditLog.action.like("user.s%")).order_by(AuditLog.id))
    return [(row.action, row.target_id, row.detail.get("sessions")) for row in rows]


def test_the_end_of_sessions_leaves_a_row_and_nothing_ended_leaves_none(session: Session) -> None:
    user = make_user()
    opened(user)
    opened(user)
    known = sessions.by_session(opened(user))
    assert known is not None
    with transaction(Actor.user(user.id)):
        sessions.end_all(user, but=known[1].id)
        sessions.end_all(user, but=known[1].id)
    assert ended(session) == [("user.sessions_ended", user.id, 2)]
    with transaction(Actor.user(user.id)):
        sessions.sign_out(user, known[1].id)
        sessions.sign_out(user, known[1].id)
    assert ended(session)[1:] == [("user.signed_out", user.id, None)]


def test_a_reset_says_how_many_sessions_it_ended(session: Session) -> None:
    user = make_user()
    opened(user)
    with transaction(CLI):
        users.reset_password(user)
    assert ended(session) == [("user.sessions_ended", user.id, 1)]
