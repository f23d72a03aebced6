"""Audit rows and notices, written in the transaction of the change.

Both are gathered while the change is made and written by one statement at its end, so that a webhook stays within
its six queries. The audit row takes its actor from the transaction; no caller passes one in.
"""

import json
import uuid
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.database import row_access
from lessonadmin.db import TransactionState, actor, before_commit, db, new_id, transaction_state
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import AuditLog, Course, Lesson, MuxCall, Tracking, User
from lessonadmin.domain.models.accounts import STAFF
from lessonadmin.domain.models.notifications import SILENT_SECONDS
from lessonadmin.observability import logs
from lessonadmin.queue import enqueue_after_commit

DIGEST_SECONDS = 60
MAX_REASON_LENGTH = 500
# Rows travel as JSON, so that the statements are always the same text and nothing is compiled for a webhook.
AUDIT_COLUMNS = (
    "id uuid, actor_type text, actor_id uuid, action text, target_type text, target_id uuid, detail jsonb"
)
NOTICE_COLUMNS = (
    "id uuid, user_id uuid, kind text, message text, lesson_id uuid, course_id uuid, tracking_id uuid, cause text,"
    " mail_wanted boolean, mail_to text, wait double precision"
)
INSERT_AUDIT = f"""INSERT INTO audit_log (id, actor_type, actor_id, action, target_type, target_id, detail)
  SELECT id, actor_type, actor_id, action, target_type, target_id, detail
    FROM jsonb_to_recordset(CAST(:audit AS jsonb)) AS r ({AUDIT_COLUMNS})"""  # noqa: S608 - constants of this file, values as parameters # nosec B608
WRITE_AUDIT = text(INSERT_AUDIT)
INSERT_NOTICES = f"""INSERT INTO notifications
  (id, user_id, kind, message, lesson_id, course_id, tracking_id, cause, mail_wanted, mail_to, mail_due_at)
  SELECT id, user_id, kind, message, lesson_id, course_id, tracking_id, cause, mail_wanted, mail_to,
         clock_timestamp() + make_interval(secs => wait)
    FROM jsonb_to_recordset(CAST(:notices AS jsonb)) AS r ({NOTICE_COLUMNS})
  ON CONFLICT DO NOTHING RETURNING id, false"""  # noqa: S608 - constants of this file, values as parameters # nosec B608
WRITE_BOTH = text(f"WITH written_audit AS ({INSERT_AUDIT}) {INSERT_NOTICES}")
# A job tells students, and is not taken for lost for so long. Of a lesson that no student ever had there is nothing to tell.
ANNOUNCED = "id uuid, kind text, lesson_id uuid, course_id uuid, gathered_as text"
INSERT_ANNOUNCEMENTS = f"""INSERT INTO announcements (id, kind, lesson_id, course_id, gathered_as, due_at)
  SELECT id, kind, lesson_id, course_id, gathered_as, clock_timestamp() + make_interval(secs => {SILENT_SECONDS})
    FROM jsonb_to_recordset(CAST(:announcements AS jsonb)) AS r ({ANNOUNCED})
   WHERE course_id IS NOT NULL OR EXISTS (SELECT FROM purchases WHERE purchases.lesson_id = r.lesson_id)
  RETURNING id"""  # noqa: S608 - constants of this file, values as parameters # nosec B608
ALL = f"WITH written_audit AS ({INSERT_AUDIT}), announced AS ({INSERT_ANNOUNCEMENTS}), written AS ({INSERT_NOTICES})"
WRITE_ALL = text(
    f"{ALL} SELECT id, false FROM written UNION ALL (SELECT id, true FROM announced LIMIT 1)"  # noqa: S608 - constants of this file, values as parameters # nosec B608
)


class Target(Protocol):
    __tablename__: str

    @property
    def id(self) -> uuid.UUID: ...


TARGET_TYPES = {"lessons": "lesson", "courses": "course", "users": "user"}


def target_type(target: Target) -> str:
    """The word for a kind of thing in audit rows, events and calls."""
    return TARGET_TYPES.get(target.__tablename__, target.__tablename__)


def record(action: str, target: Target, **detail: Any) -> None:
    """One audit row for one change, by the actor of this transaction."""
    record_for(action, target_type(target), target.id, **detail)


def record_for(action: str, kind: str, target_id: uuid.UUID | None, **detail: Any) -> None:
    """The same for a thing of which only the id is at hand."""
    record_all(action, kind, [target_id], **detail)


def record_all(action: str, kind: str, target_ids: Iterable[uuid.UUID | None], **detail: Any) -> None:
    """The same change of many things of one kind: an audit row for each, written by the same one statement."""
    by = actor()
    given = {key: value for key, value in detail.items() if value is not None}
    if by.reason:
        given.setdefault("reason", by.reason)
    if by.batch:
        given.setdefault("batch", str(by.batch))
    address = logs.address.get()
    # What is done to an account, and what is taken away, says from which address and by which request.
    if by.type == "user" and address != "-" and action.startswith("user."):
        given.setdefault("address", address)
    if by.type == "user" and address != "-" and (action.startswith("user.") or action.endswith(".exported")):
        given.setdefault("request", logs.request_id.get())
    write_at_the_end().audit_rows.extend(
        {
            "id": new_id(),
            "actor_type": by.type,
            "actor_id": by.id,
            "action": action,
            "target_type": kind,
            "target_id": target_id,
            "detail": given,
        }
        for target_id in target_ids
    )


def checked_reason(text: str | None) -> str:
    """Why staff did something, which stands in its audit row; raises Invalid where nothing is written, or too much."""
    reason = (text or "").strip()
    if not reason:
        raise Invalid.field("reason", "Write a reason for the audit log.")
    if len(reason) > MAX_REASON_LENGTH:
        raise Invalid.field("reason", f"Use at most {MAX_REASON_LENGTH} characters.")
    return reason


def last_editor(owner: Lesson | Course) -> User | None:
    """Who saved it last, by the audit rows; None if no user did."""
    return db.session.scalar(
        select(User)
        .join(AuditLog, AuditLog.actor_id == User.id)
        .where(AuditLog.target_id == owner.id, AuditLog.action == f"{owner.kind}.updated")
        .order_by(AuditLog.at.desc(), AuditLog.id.desc())
        .limit(1)
    )


def notify(
    kind: str,
    owner: Lesson | Course,
    message: str,
    *,
    tracking: Tracking | None = None,
    cause: str | None = None,
) -> None:
    """Tell the owner, once for an upload, unless it is in the trash; the mail leaves by a job once this transaction is safe."""
    if owner.deleted_at is not None:
        return
    notify_user(
        kind,
        owner.owner_id,
        message,
        lesson_id=owner.id if isinstance(owner, Lesson) else None,
        course_id=owner.id if isinstance(owner, Course) else None,
        tracking_id=tracking.id if tracking is not None else None,
        cause=cause,
    )


def notify_user(kind: str, user_id: uuid.UUID, message: str, **columns: Any) -> None:
    """Tell a person something, unless this transaction is one of the quiet ones."""
    if actor().quiet:
        return
    row = {"id": new_id(), "user_id": user_id, "kind": kind, "message": message}
    row["mail_wanted"] = config.current().mail_url is not None
    # What may hit many lessons at once waits a little, so that one mail can tell of all of them.
    row["wait"] = DIGEST_SECONDS if columns.get("cause") else 0
    if not row["mail_wanted"]:
        columns.pop("mail_to", None)  # kept for the mail alone
    row |= {name: columns.get(name) for name in ("lesson_id", "course_id", "tracking_id", "cause", "mail_to")}
    write_at_the_end().notice_rows.append(row)


def notify_staff(
    kind: str, owner: Lesson | Course, message: str, *, cause: str, but: uuid.UUID | None = None
) -> None:
    """Tell every member of staff of a lesson or course that is not in the trash, `but` one who is told otherwise. The caller sees to it that this
    is once."""
    about = {f"{owner.kind}_id": owner.id}
    if owner.deleted_at is not None:
        return
    for user_id in db.session.scalars(select(User.id).where(User.active, User.role.in_(STAFF))):
        if user_id != but:
            notify_user(kind, user_id, message, cause=cause, **about)


def write_at_the_end() -> TransactionState:
    """The open transaction, which writes its rows once, before its commit."""
    state = transaction_state()
    if _write not in state.before_commit:
        before_commit(_write)
    return state


def _write(session: Session) -> None:
    state = transaction_state()
    rows = {
        "audit": json.dumps(state.audit_rows, default=str),
        "notices": json.dumps(state.notice_rows, default=str),
    }
    if not state.notice_rows and not state.announcement_rows:
        session.execute(WRITE_AUDIT, {"audit": rows["audit"]})
        return
    with row_access.everything():  # most are for others
        if state.announcement_rows:
            rows["announcements"] = json.dumps(state.announcement_rows, default=str)
            written = session.execute(WRITE_ALL, rows).all()
        else:
            written = session.execute(WRITE_BOTH, rows).all()
    for notice_id, is_announced in written:
        if is_announced:
            enqueue_after_commit("lessonadmin.jobs.notices.tell_students")
        elif config.current().mail_url:
            enqueue_after_commit("lessonadmin.jobs.notices.send_mail", str(notice_id))


MAX_DETAIL_LENGTH = 300


def record_mux_call(kind: str, target_id: uuid.UUID, operation: str, outcome: str, detail: str = "") -> None:
    db.session.add(
        MuxCall(
            target_type=kind,
            target_id=target_id,
            operation=operation,
            outcome=outcome,
            detail=detail[:MAX_DETAIL_LENGTH],
        )
    )
