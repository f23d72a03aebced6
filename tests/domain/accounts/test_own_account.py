"""A user changes their own account: a wrong present password is a counted try, a slip in anything else is none."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.accounts import own_account, passwords, sessions, tokens
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import SignInFailure, User
from tests.factories import PASSWORD, make_token, make_user

HERE, NEW = "192.0.2.1", "another long password"


def change(user: User, *, old: str = PASSWORD, new: str = NEW) -> None:
    own_account.change_password(user, old=old, new=new, keep=None, address=HERE)


def make(user: User, *, password: str = PASSWORD, scope: str = "write") -> str:
    return own_account.create_token(user, password=password, name="a script", scope=scope, address=HERE)


def wrong_tries(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(SignInFailure)) or 0


def test_the_present_password_opens_both_and_leaves_no_try(session: Session) -> None:
    user = make_user()
    secret = make(user)
    assert secret
    assert [token.name for token in tokens.live(user)] == ["a script"]
    change(user)
    assert passwords.proves(user.password_hash, NEW)
    assert tokens.live(user) == []
    assert wrong_tries(session) == 0


@pytest.mark.parametrize(
    "act", [lambda user: change(user, old="wrong"), lambda user: make(user, password="wrong")]
)
def test_a_wrong_password_changes_nothing_and_is_counted(
    session: Session, act: Callable[[User], object]
) -> None:
    user = make_user()
    with pytest.raises(Invalid):
        act(user)
    assert wrong_tries(session) == 1
    assert passwords.proves(user.password_hash, PASSWORD)
    assert tokens.live(user) == []


def test_a_slip_beside_the_password_of_a_token_is_no_try(session: Session) -> None:
    with pytest.raises(Invalid, match="Choose one of"):
        make(make_user(), password="wrong", scope="everything")
    assert wrong_tries(session) == 0


def test_signing_out_everywhere_ends_sessions_and_tokens(session: Session) -> None:
    user = make_user()
    make_token(user)
    with transaction(CLI):
        sessions.begin(user, address=HERE, user_agent="Chrome/1 Linux")
    assert sessions.open_ones(user)
    with transaction(Actor.user(user.id)):
        own_account.sign_out_everywhere(user)
    assert sessions.open_ones(user) == []
    assert tokens.live(user) == []
