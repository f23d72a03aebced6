"""An admin resets the factors of another person, and no other role does."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.accounts import sessions, tokens
from lessonadmin.domain.errors import Conflict, Forbidden
from lessonadmin.domain.models import ApiToken, AuditLog, Notification, User
from lessonadmin.domain.second_factor import entrance, factors, pending, reset
from lessonadmin.domain.second_factor.entrance import Browser
from tests.factories import PASSWORD, give_app, give_recovery_codes, make_token, make_user


def protected(role: str = "support") -> User:
    user = make_user(role=role)
    give_app(user)
    give_recovery_codes(user)
    return user


def test_everything_goes_but_the_password(session: Session) -> None:
    admin, user = make_user(role="admin", name="Root"), protected()
    token = make_token(user)
    with transaction(CLI):
        secret, waiting = sessions.begin(user, address="", user_agent=""), pending.begin(user, way="password")
    with transaction(Actor.user(admin.id, reason="lost phone, called back")):
        reset.reset(admin, user.id)
    assert factors.of(user.id) == factors.NONE
    assert sessions.by_session(secret) is None
    assert tokens.whose(token) is None
    with pytest.raises(pending.Ended):
        pending.whose(waiting)
    arrival = entrance.by_password(email=user.email, password=PASSWORD, browser=Browser("", ""))
    assert not arrival.pending
    row = session.scalars(select(AuditLog).where(AuditLog.action == "user.second_factor_reset")).one()
    assert (row.actor_id, row.target_id, row.detail["reason"]) == (
        admin.id,
        user.id,
        "lost phone, called back",
    )
    because = session.scalars(
        select(AuditLog.detail["because"]).where(AuditLog.action == "user.token_revoked")
    )
    assert because.all() == ["second factor reset"]
    assert session.scalars(select(ApiToken.revoked_at.is_not(None))).all() == [True]
    about = (Notification.user_id == user.id, Notification.message.contains("removed your"))
    (notice,) = session.scalars(select(Notification.message).where(*about))
    assert notice.startswith("Root (")
    assert "removed your authenticator app" in notice


@pytest.mark.parametrize("role", ["student", "instructor", "support"])
def test_only_an_admin_resets(session: Session, role: str) -> None:
    by, user = make_user(role=role), protected()
    with pytest.raises(Forbidden), transaction(Actor.user(by.id)):
        reset.reset(by, user.id)
    assert factors.of(user.id).any


def test_an_admin_does_not_reset_the_own_account(session: Session) -> None:
    admin = protected("admin")
    with pytest.raises(Conflict), transaction(Actor.user(admin.id)):
        reset.reset(admin, admin.id)


def test_nothing_to_reset_is_said(session: Session) -> None:
    admin, user = make_user(role="admin"), make_user()
    with pytest.raises(Conflict), transaction(Actor.user(admin.id)):
        reset.reset(admin, user.id)
