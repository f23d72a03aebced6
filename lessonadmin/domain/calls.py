"""Which calls to Mux were made about one lesson or course, for its timeline. Never a body, never a URL."""

import uuid

from lessonadmin.db import db
from lessonadmin.domain.models import MuxCall

LONGEST_DETAIL = 300


def note(kind: str, target_id: uuid.UUID, operation: str, outcome: str, detail: str = "") -> None:
    db.session.add(
        MuxCall(
            target_type=kind,
            target_id=target_id,
            operation=operation,
            outcome=outcome,
            detail=detail[:LONGEST_DETAIL],
        )
    )
