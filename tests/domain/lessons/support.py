"""What the tests of lessons and of courses share: a transaction of a user's, and the audit trail of one thing."""

import uuid
from typing import Any

from sqlalchemy import select

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.models import AuditLog, User


def as_(user: User) -> Any:
    return transaction(Actor.user(user.id))


def trail(target_id: uuid.UUID) -> list[tuple[str, dict[str, Any]]]:
    """What is on record about it, oldest first."""
    query = (
        select(AuditLog.action, AuditLog.detail)
        .where(AuditLog.target_id == target_id)
        .order_by(AuditLog.at, AuditLog.id)
    )
    return [(action, dict(detail)) for action, detail in db.session.execute(query)]
