"""CSV files as an answer: sent as they are read, and recorded before the first line leaves.

What stands in a file is decided by its view; its lines are made by `text.spreadsheets`, which guards them against formulas.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.security import security_events


def record(slug: str, rows: int, **detail: Any) -> None:
    """An audit row and a security event: who takes how many rows of what."""
    with transaction(auth.current_actor()):
        audit_log.record_for(f"{slug}.exported", slug, None, rows=rows, **detail)
    security_events.record("exported", user_id=auth.current_user().id, list=slug, rows=rows)


def answer(name: str, lines: Iterator[str]) -> Response:
    return Response(
        stream_with_context(lines),
        headers={"Content-Disposition": f"attachment; filename={name}"},
        mimetype="text/csv",
    )
