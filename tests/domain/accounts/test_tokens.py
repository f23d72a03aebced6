"""Bearer tokens: what is stored of them, whose they are, and how they end."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.accounts import tokens, users
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.maintenance import retention
from lessonadmin.domain.models import ApiToken, AuditLog, User
from tests.factories import PASSWORD, keep, make_token, make_user

NEW = "another long password"
ENDINGS: dict[str, Callable[[User], object]] = {
    "password changed": lambda user: users.change_password(user, old=PASSWORD, new=NEW, keep=None),
    "password reset": users.reset_password,
    "role changed": lambda user: users.set_role(user, "support"),
    "account disabled": lambda user: users.set_active(user, False),
}


def test_a_token_is_stored_as_a_hash_only(session: Session) -> None:
    user = make_user()
    secret = make_token(user)
    row = session.scalars(select(ApiToken)).one()
    assert secret not in {row.secret_hash, row.name}
    assert len(secret) >= 40
    found = tokens.whose(secret)
    assert found is not None
    assert found[0].id == user.id
    assert tokens.whose(secret + "x") is None
    assert tokens.whose("") is None


def test_a_token_notes_its_use_and_from_where_once_a_minute(session: Session) -> None:
    secret = make_token(make_user())
    tokens.whose(secret, address="192.0.2.1")
    session.expire_all()
    token = session.scalars(select(ApiToken)).one()
    first = token.last_used_at
    assert first is not None
    assert token.last_used_address == "192.0.2.1"
    tokens.whose(secret, address="192.0.2.2")
    session.expire_all()
    assert (token.last_used_at, token.last_used_address) == (first, "192.0.2.1")
    session.execute(update(ApiToken).values(last_used_at=first - timedelta(seconds=61)))
    session.commit()
    tokens.whose(secret, address="192.0.2.2")
    session.expire_all()
    assert token.last_used_address == "192.0.2.2"


def test_a_token_lives_for_ninety_days(session: Session) -> None:
    user = make_user()
    secret = make_token(user)
    token = session.scalars(select(ApiToken)).one()
    life = token.expires_at - datetime.now(UTC)
    assert timedelta(days=90) - timedelta(minutes=1) < life <= timedelta(days=90)
    session.execute(update(ApiToken).values(expires_at=func.clock_timestamp()))
    session.commit()
    with pytest.raises(tokens.Expired):
        tokens.whose(secret)
    assert tokens.live(user) == []
    with transaction(CLI):
        users.set_active(user, False)
    assert tokens.whose(secret) is None, "of a disabled account not even that is told"


def test_a_revoked_token_opens_nothing(session: Session) -> None:
    user, stranger = make_user(), make_user()
    secret = make_token(user)
    token = tokens.live(user)[0]
    with transaction(Actor.user(stranger.id)):
        assert tokens.revoke(stranger, token.id) is False
    assert tokens.whose(secret) is not None
    with transaction(Actor.user(user.id)):
        assert tokens.revoke(user, token.id) is True
        assert tokens.revoke(user, token.id) is False
    assert tokens.whose(secret) is None
    assert tokens.live(user) == []


def test_a_tokens_name_has_a_limit(session: Session) -> None:
    user = make_user()
    with pytest.raises(Invalid), transaction(CLI):
        tokens.create(user, name="x" * 81)
    assert tokens.live(user) == []


def test_what_it_may_do_is_one_of_two(session: Session) -> None:
    user = make_user()
    with pytest.raises(Invalid) as caught, transaction(CLI):
        tokens.create(user, scope="admin")
    assert list(caught.value.fields or ()) == ["scope"]
    with transaction(CLI):
        tokens.create(user, scope="read")
    assert [one.scope for one in tokens.live(user)] == ["read"]


def test_no_user_has_more_than_twenty(session: Session) -> None:
    user = make_user()
    for _ in range(tokens.MAX_LIVE):
        make_token(user)
    with pytest.raises(Conflict, match="Revoke one"):
        make_token(user)
    token = tokens.live(user)[0]
    with transaction(CLI):
        tokens.revoke(user, token.id)
    make_token(user)


def test_a_disabled_account_gets_none(session: Session) -> None:
    user = make_user(active=False)
    with pytest.raises(Conflict, match="disabled"):
        make_token(user)


@pytest.mark.parametrize("because", list(ENDINGS))
def test_what_takes_an_account_back_ends_its_tokens_for_ever(session: Session, because: str) -> None:
    user, other = make_user(), make_user()
    secrets, others = [make_token(user), make_token(user)], make_token(other)
    ids = {str(one.id) for one in tokens.live(user)}
    with transaction(CLI):
        ENDINGS[because](user)
    assert [tokens.whose(secret) for secret in secrets] == [None, None]
    with transaction(CLI):
        users.set_active(user, True)
    assert [tokens.whose(secret) for secret in secrets] == [None, None]
    assert tokens.whose(others) is not None
    rows = session.scalars(select(AuditLog).where(AuditLog.action == "user.token_revoked")).all()
    assert {row.detail["token_id"] for row in rows} == ids
    assert {row.detail["because"] for row in rows} == {because}
    assert {row.target_id for row in rows} == {user.id}


def test_what_fails_ends_no_token(session: Session) -> None:
    """In one transaction: either the password is new and the tokens are over, or neither."""
    user = make_user()
    secret = make_token(user)

    def reset_and_fail() -> None:
        with transaction(CLI):
            users.reset_password(user)
            raise LookupError

    with pytest.raises(LookupError):
        reset_and_fail()
    assert tokens.whose(secret) is not None


@pytest.mark.parametrize("because", ["password reset", "account disabled"])
@pytest.mark.parametrize("first", ["mint", "end"])
def test_no_token_slips_past_a_reset_that_happens_meanwhile(app: Flask, because: str, first: str) -> None:
    """The second transaction waits for the first, so the one made before is ended and the one after is refused."""
    user = make_user()
    holds, go_on = threading.Event(), threading.Event()
    outcome: dict[str, object] = {}

    def mint(row: User) -> None:
        outcome["secret"] = tokens.create_by_password(row, password=PASSWORD, name="", scope="write")

    def run(name: str, do: Callable[[User], object], *, wait: bool) -> None:
        with app.app_context():
            try:
                row = db.session.get_one(User, user.id)
                db.session.commit()  # read before the other one changed it, as by a request that is under way
                if not wait:
                    seen.wait(10)
                with transaction(CLI):
                    do(row)
                    if wait:
                        holds.set()
                        go_on.wait(10)
            except Exception as error:
                outcome[name] = error
            finally:
                seen.set()
                holds.set()
                db.session.remove()

    seen = threading.Event()
    jobs = {"mint": mint, "end": ENDINGS[because]}
    second = "end" if first == "mint" else "mint"
    threads = [
        threading.Thread(target=run, args=(first, jobs[first]), kwargs={"wait": True}),
        threading.Thread(target=run, args=(second, jobs[second]), kwargs={"wait": False}),
    ]
    for thread in threads:
        thread.start()
    holds.wait(10)
    seen.set()
    threads[1].join(0.3)
    assert threads[1].is_alive(), "it waits"
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert "end" not in outcome, outcome
    if first == "end":
        assert isinstance(outcome["mint"], Invalid | Conflict)
    with app.app_context():
        assert tokens.live(user) == []
        if first == "mint":
            assert tokens.whose(str(outcome["secret"])) is None


def test_those_that_are_over_go_after_ninety_days(session: Session) -> None:
    user = make_user()
    over = {"revoked_at": 91, "expires_at": 91}
    for column, days in (*over.items(), ("revoked_at", 89), ("created_at", 200)):
        moment = datetime.now(UTC) - timedelta(days=days)
        keep(ApiToken(user_id=user.id, name=f"{column} {days}", secret_hash=f"{column} {days}", **{column: moment}))  # fmt: skip
    assert retention.prune() == {"api_tokens": 2}
    assert set(session.scalars(select(ApiToken.name))) == {"revoked_at 89", "created_at 200"}
