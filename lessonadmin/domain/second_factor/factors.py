"""Which second factors an account has, and whether its role must have one. Changes nothing.

An authenticator app is one, and so is each passkey. Recovery codes stand in for those that are lost, and are none themselves.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, func, select

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.models import AuthenticatorApp, Passkey, RecoveryCode, User
from lessonadmin.domain.models.accounts import STAFF

FEW_CODES = 3


@dataclass(frozen=True)
class Factors:
    """What an account can prove itself with beside its password; `recovery_codes` that are not used yet."""

    app: bool
    passkeys: int
    recovery_codes: int

    @property
    def any(self) -> bool:
        return self.app or self.passkeys > 0

    @property
    def few_codes(self) -> bool:
        return self.any and self.recovery_codes <= FEW_CODES


NONE = Factors(app=False, passkeys=0, recovery_codes=0)


def of(user_id: uuid.UUID) -> Factors:
    return of_all([user_id])[user_id]


def of_all(user_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Factors]:
    """For all of them in one statement."""
    wanted = list(user_ids)
    rows = db.session.execute(_query().where(User.id.in_(wanted)))
    found = {row[0]: Factors(app=row[1], passkeys=row[2], recovery_codes=row[3]) for row in rows}
    return {user_id: found.get(user_id, NONE) for user_id in wanted}


def _query() -> Select[uuid.UUID, bool, int, int]:
    codes = select(func.count()).where(RecoveryCode.user_id == User.id, RecoveryCode.used_at.is_(None))
    keys = select(func.count()).where(Passkey.user_id == User.id)
    return select(User.id, _has_app(), keys.scalar_subquery(), codes.scalar_subquery())


def _has_app() -> ColumnElement[bool]:
    return exists().where(AuthenticatorApp.user_id == User.id, AuthenticatorApp.confirmed_at.is_not(None))


def has_none() -> ColumnElement[bool]:
    """For a list of accounts: has it no second factor?"""
    return and_(~_has_app(), ~exists().where(Passkey.user_id == User.id))


def are_missing() -> ColumnElement[bool]:
    """For a list of accounts: is it of staff who sign in without one?"""
    return and_(User.active, User.role.in_(STAFF), User.password_hash.is_not(None), has_none())


def staff_without() -> Select[int]:
    """How many members of staff sign in without one."""
    return select(func.count()).select_from(User).where(are_missing())


def are_required_of(user: User) -> bool:
    return user.is_staff and config.current().staff_second_factor == "required"


def hold_back_tokens_of(user: User) -> bool:
    """Would a bearer token open more than its owner may open in a browser, who has to set up a second factor first?

    An account without a password has no one to do that: an operator made it for a script, and made its token.
    """
    return are_required_of(user) and user.password_hash is not None and not of(user.id).any
