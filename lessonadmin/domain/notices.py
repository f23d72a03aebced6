"""What people are told about their lessons, as rows: reading, counting, marking as read. Mail is sent by a job."""

import uuid

from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain.models import Notification


def unread_count(user_id: uuid.UUID) -> int:
    """How many notices this person has not read; answered from an index that holds only unread ones."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Notification)
            .where(Notification.user_id == user_id, Notification.read_at.is_(None))
        )
        or 0
    )
