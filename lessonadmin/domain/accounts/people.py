"""People as support sees them: when they last signed in, what they have, and what is done for one who cannot sign in.

Roles, passwords and the state of an account are for admins (`administration`); nothing here changes them. For the account
of an admin only admins do anything.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import joinedload

from lessonadmin.db import db
from lessonadmin.domain.accounts import account_notices, sessions, sign_in
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import AuditLog, Course, Lesson, Purchase, User

# How far is counted for a row of a list.
MAX_COUNTED = 1_000
PURCHASES_SHOWN = 20


@dataclass(frozen=True)
class Figures:
    """When a person last signed in, as long as the audit log goes back, and how much they have, counted to MAX_COUNTED."""

    last_sign_in: datetime | None
    lessons: int
    courses: int
    purchases: int


def figures_of(user_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Figures]:
    """For all of them in one statement."""
    last = (
        select(AuditLog.at)
        .where(AuditLog.target_id == User.id, AuditLog.action == "user.signed_in")
        .order_by(AuditLog.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    counts = [
        _count(Lesson.creator_id),
        _count(Course.instructor_id),
        _count(Purchase.user_id, Purchase.is_in_force),
    ]
    rows = db.session.execute(select(User.id, last, *counts).where(User.id.in_(list(user_ids))))
    return {row[0]: Figures(row[1], row[2], row[3], row[4]) for row in rows}


def _count(owner_id: Any, *conditions: Any) -> ScalarSelect[int]:
    some = (
        select(owner_id).where(owner_id == User.id, *conditions).limit(MAX_COUNTED).correlate(User).subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def purchases_of(user: User) -> list[Purchase]:
    """The latest that they bought or were given, also what is revoked, with their lessons."""
    return list(
        db.session.scalars(
            select(Purchase)
            .where(Purchase.user_id == user.id)
            .order_by(Purchase.id.desc())
            .limit(PURCHASES_SHOWN)
            .options(joinedload(Purchase.lesson).load_only(Lesson.title))
        )
    )


def end_sessions(by: User, user_id: uuid.UUID, *, only: uuid.UUID | None = None) -> int:
    """Sign them out, everywhere or in one browser; how many sessions that were."""
    user = _to_help(by, user_id)
    ended = sessions.end_all(user, only=only)
    if ended and user.id != by.id:
        account_notices.sessions_ended(user, ended)
    return ended


def unlock_sign_in(by: User, user_id: uuid.UUID) -> int:
    """Forget the wrong passwords that were typed for this account, so that the next try need not wait."""
    user = _to_help(by, user_id)
    forgotten = sign_in.forget_wrong_tries(user.email)
    if forgotten:
        audit_log.record("user.sign_in_unlocked", user, tries=forgotten)
    return forgotten


def _to_help(by: User, user_id: uuid.UUID) -> User:
    user = db.session.get(User, user_id)
    if not by.is_staff:
        raise Forbidden("forbidden", "Only support and admins help other people.")
    if user is None:
        raise Missing
    if user.role == "admin" and by.role != "admin":
        raise Forbidden("forbidden", "Only an admin does this for the account of an admin.")
    return user
