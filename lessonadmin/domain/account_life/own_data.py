"""What the product holds of a person, for that person: one JSON document. No secret and no data of others is in it.

Long lists end at MAX_ROWS, and the document says of which lists that is true. That it was downloaded leaves an audit row.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, or_, select

from lessonadmin.db import db
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import (
    ApiToken,
    AuditLog,
    AuthenticatorApp,
    Course,
    KnownBrowser,
    Lesson,
    LessonProgress,
    Notification,
    Passkey,
    Purchase,
    SavedFilter,
    User,
    UserSession,
    in_trash,
)

MAX_ROWS = 5_000


def document(user: User) -> dict[str, Any]:
    """All of it; the caller's transaction records that it was asked for."""
    audit_log.record("user.data_downloaded", user)
    lists = {name: _rows(query) for name, query in _queries(user.id).items()}
    return {
        "account": {
            "id": str(user.id),
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "created_at": _plain(user.created_at),
            "mail_notices": user.mail_notices,
            "muted_notices": user.muted_notices,
        },
        **{name: rows[:MAX_ROWS] for name, rows in lists.items()},
        "not_complete": [name for name, rows in lists.items() if len(rows) > MAX_ROWS],
    }


def _queries(user_id: uuid.UUID) -> dict[str, Select[Any]]:
    """The newest first."""
    mine = {
        "sessions": (UserSession, "address user_agent created_at last_seen_at ended_at"),
        "known_browsers": (KnownBrowser, "user_agent network created_at last_used_at"),
        "api_tokens": (
            ApiToken,
            "name scope created_at expires_at last_used_at last_used_address revoked_at",
        ),
        "passkeys": (Passkey, "name created_at last_used_at"),
        "authenticator_apps": (AuthenticatorApp, "created_at last_used_at"),
        "notifications": (Notification, "kind message created_at read_at"),
        "progress": (LessonProgress, "lesson_id seconds duration done_at updated_at"),
        "saved_filters": (SavedFilter, "list_slug name query created_at"),
    }
    found: dict[str, Select[Any]] = {
        name: _select(model, columns).where(model.user_id == user_id)  # type: ignore[attr-defined]  # each has one
        for name, (model, columns) in mine.items()
    }
    found["purchases"] = _purchases(user_id)
    found["lessons"] = _select(
        Lesson, "id title description status price_cents created_at updated_at deleted_at"
    ).where(Lesson.creator_id == user_id)
    found["courses"] = _select(Course, "id title description created_at updated_at deleted_at").where(
        Course.instructor_id == user_id
    )
    found["activity"] = _select(AuditLog, "at action target_type target_id").where(
        or_(AuditLog.actor_id == user_id, AuditLog.target_id == user_id)
    )
    return found


def _purchases(user_id: uuid.UUID) -> Select[Any]:
    """Also those that are revoked."""
    bought: list[Any] = [
        Purchase.lesson_id,
        # of a revoked one the title is kept: its lesson may be deleted, or not theirs to see
        func.coalesce(Purchase.lesson_title, Lesson.title).label("title"),
        Purchase.price_cents,
        Purchase.created_at,
        Purchase.given_by.is_not(None).label("given"),
        Purchase.revoked_at,
        Purchase.revoke_reason,
        Purchase.restored_at,
    ]
    return (
        select(*bought)
        .outerjoin(Lesson, Lesson.id == Purchase.lesson_id)
        .where(Purchase.user_id == user_id)
        .order_by(Purchase.id.desc())
        .limit(MAX_ROWS + 1)
    )


def _select(model: Any, columns: str) -> Select[Any]:
    chosen = [getattr(model, name) for name in columns.split()]
    newest = [key.desc() for key in model.__table__.primary_key]
    return select(*chosen).order_by(*newest).limit(MAX_ROWS + 1)


def _rows(query: Select[Any]) -> list[dict[str, Any]]:
    found = db.session.execute(query, execution_options=in_trash.too())
    return [_as_json(row) for row in found.mappings()]


def _as_json(row: RowMapping) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
