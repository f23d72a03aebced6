"""Errors by the reference that people were shown: when, where, who and which kind. Never what was sent, or what the error said."""

import uuid

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.models import ErrorReference


def keep(reference: str, *, route: str, kind: str, user_id: uuid.UUID | None) -> None:
    """In a transaction of its own, for the one of the request is lost."""
    with transaction(JOB):
        db.session.add(ErrorReference(reference=reference, route=route, kind=kind, user_id=user_id))
