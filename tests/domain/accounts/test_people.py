"""People as support sees them: figures in one statement, sessions that end, a sign-in that is unlocked, and whose account not."""

import uuid

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.accounts import people, sessions, sign_in
from lessonadmin.domain.errors import Forbidden, Missing, TooMany
from lessonadmin.domain.models import AuditLog, User
from lessonadmin.domain.second_factor import entrance
from lessonadmin.domain.second_factor.entrance import Browser
from tests.factories import PASSWORD, make_course, make_lesson, make_purchase, make_user
from tests.queries import counted

HERE = "192.0.2.1"


def sign_in_as(user: User, password: str = PASSWORD) -> str:
    return entrance.by_password(email=user.email, password=password, browser=Browser(HERE, "")).secret


def lock(user: User) -> None:
    for number in range(sign_in.WRONG_TRIES):
        with pytest.raises(sign_in.WrongCredentials):
            entrance.by_password(email=user.email, password="wrong", browser=Browser(f"192.0.2.{number}", ""))


def test_figures_say_when_they_signed_in_and_what_they_have(session: Session) -> None:
    ada, stu, new = make_user(), make_user(role="student"), make_user()
    lesson = make_lesson(creator=ada)
    make_lesson(creator=ada)
    make_course(instructor=ada)
    make_purchase(lesson, stu)
    sign_in_as(stu)
    with counted() as sent:
        found = people.figures_of([ada.id, stu.id, new.id])
    assert len(sent) == 1
    assert (found[ada.id].lessons, found[ada.id].courses, found[ada.id].purchases) == (2, 1, 0)
    assert (found[stu.id].lessons, found[stu.id].courses, found[stu.id].purchases) == (0, 0, 1)
    assert found[stu.id].last_sign_in is not None
    assert found[new.id] == people.Figures(None, 0, 0, 0)


def test_figures_count_no_further_than_they_say(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    for _ in range(4):
        make_lesson(creator=ada)
    monkeypatch.setattr(people, "MAX_COUNTED", 3)
    assert people.figures_of([ada.id])[ada.id].lessons == 3


def test_the_latest_purchases_come_first(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    stu = make_user(role="student")
    for title in ("One", "Two", "Three"):
        make_purchase(make_lesson(title=title), stu)
    monkeypatch.setattr(people, "PURCHASES_SHOWN", 2)
    assert [one.lesson.title for one in people.purchases_of(stu)] == ["Three", "Two"]


def test_sessions_end_one_or_all(session: Session) -> None:
    support, ada = make_user(role="support"), make_user()
    secrets = [sign_in_as(ada) for _ in range(3)]
    first = sessions.by_session(secrets[0])
    assert first is not None
    with transaction(Actor.user(support.id)):
        assert people.end_sessions(support, ada.id, only=first[1].id) == 1
    assert [bool(sessions.by_session(secret)) for secret in secrets] == [False, True, True]
    with transaction(Actor.user(support.id)):
        assert people.end_sessions(support, ada.id) == 2
    assert not any(sessions.by_session(secret) for secret in secrets)


def test_a_session_of_another_person_is_not_ended_by_its_id(session: Session) -> None:
    support, ada, bea = make_user(role="support"), make_user(), make_user()
    secret = sign_in_as(bea)
    known = sessions.by_session(secret)
    assert known is not None
    with transaction(Actor.user(support.id)):
        assert people.end_sessions(support, ada.id, only=known[1].id) == 0
    assert sessions.by_session(secret)


def test_unlocking_lets_the_next_try_in_and_is_written_down(session: Session) -> None:
    support, ada = make_user(role="support"), make_user()
    lock(ada)
    assert sign_in.wrong_tries(ada.email).must_wait
    with pytest.raises(TooMany):
        sign_in_as(ada)
    with transaction(Actor.user(support.id, reason="She called")):
        assert people.unlock_sign_in(support, ada.id) == sign_in.WRONG_TRIES
    assert sign_in.wrong_tries(ada.email) == sign_in.WrongTries(0, None)
    assert sign_in_as(ada)
    row = session.scalars(select(AuditLog).where(AuditLog.action == "user.sign_in_unlocked")).one()
    assert (row.actor_id, row.target_id) == (support.id, ada.id)
    assert (row.detail["tries"], row.detail["reason"]) == (sign_in.WRONG_TRIES, "She called")


def test_unlocking_forgets_no_wrong_try_of_another_account(session: Session) -> None:
    support, ada, bea = make_user(role="support"), make_user(), make_user()
    lock(bea)
    with transaction(Actor.user(support.id)):
        assert people.unlock_sign_in(support, ada.id) == 0
    assert sign_in.wrong_tries(bea.email).must_wait


@pytest.mark.parametrize(
    ("by", "of", "allowed"),
    [
        ("support", "student", True),
        ("support", "support", True),
        ("support", "admin", False),
        ("admin", "admin", True),
        ("instructor", "student", False),
    ],
)
@pytest.mark.parametrize("act", [people.end_sessions, people.unlock_sign_in])
def test_support_helps_everyone_but_admins(
    session: Session, act: object, by: str, of: str, allowed: bool
) -> None:
    helper, other = make_user(role=by), make_user(role=of)
    with transaction(Actor.user(helper.id)):
        if allowed:
            assert act(helper, other.id) == 0  # type: ignore[operator]
        else:
            with pytest.raises(Forbidden):
                act(helper, other.id)  # type: ignore[operator]


def test_a_person_that_is_not_there_is_missing(session: Session) -> None:
    support = make_user(role="support")
    with transaction(Actor.user(support.id)), pytest.raises(Missing):
        people.end_sessions(support, uuid.uuid4())
