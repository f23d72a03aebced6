"""The timeline of a lesson or course: what users did, what Mux sent, what Mux was asked, deletions, notices and notes.

It is put together from the audit trail, events, calls to Mux, the outbox (deletions, cancellations), the uploads, notices
and staff notes by six queries. These find the latest entries first; they are shown in the order in which they happened.
Text from outside is made plain; an entry never holds a web address or a secret.
"""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import DateTime, Select, Text, literal, select, union_all

from lessonadmin.db import db
from lessonadmin.domain.audit.words import (
    ACTORS,
    AUDIT_WORDS,
    actor_words,
    answer_words,
    call_words,
    details_of,
    event_words,
    naming,
    people_in,
)
from lessonadmin.domain.models import (
    AssetDeletion,
    AuditLog,
    Course,
    Kind,
    Lesson,
    MuxCall,
    MuxEvent,
    Notification,
    StaffNote,
    Tracking,
    UploadCancellation,
    User,
    owners,
)
from lessonadmin.domain.support.names import names_of
from lessonadmin.domain.videos import conditions
from lessonadmin.text.texts import plain

Source = Literal["audit", "event", "call", "promise", "upload", "notice", "note"]
MAX_ENTRIES = 200


MUX, SYSTEM, BROWSER = "Mux", "system", "browser"
# Ids of Mux and of rows: longer than any word that is to be read.
LONG_ID = re.compile(r"[0-9A-Za-z]{30,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONG_ID_SPLIT = re.compile(f"({LONG_ID.pattern})")
NOTED = "note.added"  # the note itself is an entry of the timeline


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `bad` marks what did not go as it should; `link` is the id of the row behind it."""

    at: datetime
    source: Source
    who: str
    what: str
    detail: str = ""
    bad: bool = False
    link: uuid.UUID | None = None
    times: int = 1  # how many checks in a row stand behind it, this being the last

    @property
    def by_mux(self) -> bool:
        return self.who in (MUX, ACTORS["webhook"])

    @property
    def title(self) -> str:
        return self.what if self.times == 1 else f"{self.what} {self.times} times"

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The detail, cut where a long id stands in it: text, and whether it is one."""
        return tuple(
            (piece, bool(LONG_ID.fullmatch(piece))) for piece in LONG_ID_SPLIT.split(self.detail) if piece
        )


@dataclass(frozen=True)
class Timeline:
    """Oldest first. `older` is what to ask for as `before` to see what came earlier; None if this is the beginning."""

    entries: tuple[Entry, ...]
    older: datetime | None

    @property
    def folded(self) -> tuple[Entry, ...]:
        """The same, with checks in a row that found the same told once, at the time of the last."""
        found: list[Entry] = []
        for entry in self.entries:
            last = found[-1] if found else None
            if last is not None and entry.source == "call" and not entry.bad and _same(last, entry):
                found[-1] = replace(entry, times=last.times + 1)
            else:
                found.append(entry)
        return tuple(found)


def _same(one: Entry, other: Entry) -> bool:
    return (one.source, one.who, one.what, one.detail) == (other.source, other.who, other.what, other.detail)


@dataclass(frozen=True)
class _Span:
    """Which part of the timeline is wanted."""

    kind: Kind
    target_id: uuid.UUID
    before: datetime | None
    limit: int

    def of(self, query: Any, at: Any) -> Any:
        if self.before is not None:
            query = query.where(at < self.before)
        return query.order_by(at.desc()).limit(self.limit + 1)


def timeline_of(
    kind: Kind,
    target_id: uuid.UUID,
    *,
    before: datetime | None = None,
    limit: int = MAX_ENTRIES,
    uploads: Sequence[Tracking] | None = None,
) -> Timeline:
    """The latest `limit` entries (before a moment, for the page before); it may be about a lesson that is gone.

    `uploads`: all of them, if they are at hand already."""
    span = _Span(kind, target_id, before, limit)
    column = owners.COLUMNS[kind]
    if uploads is None:
        uploads = db.session.scalars(select(Tracking).where(column == target_id)).all()
    found = [
        *_audit(span),
        *_events(span, uploads),
        *_calls(span),
        *_outbox(span, uploads),
        *_uploads(span, uploads),
        *_notices_and_notes(span),
    ]
    found.sort(key=lambda entry: entry.at)
    if len(found) <= limit:
        return Timeline(tuple(found), None)
    cut = found[-limit].at
    return Timeline(tuple(entry for entry in found if entry.at >= cut), cut)


def _audit(span: _Span) -> Iterator[Entry]:
    wanted = (
        select(AuditLog, User.email)
        .outerjoin(User, User.id == AuditLog.actor_id)
        .where(
            AuditLog.target_id == span.target_id, AuditLog.target_type == span.kind, AuditLog.action != NOTED
        )
    )
    found = db.session.execute(span.of(wanted, AuditLog.at)).all()
    emails = names_of(users=[user_id for row, _ in found for user_id in people_in(row.detail)]).emails
    for row, email in found:
        who = actor_words(row.actor_type, email)
        what = AUDIT_WORDS.get(row.action, row.action)
        bad = row.action == "video.failed"
        yield Entry(row.at, "audit", who, what, details_of(naming(row.detail, emails)), bad, row.id)


def _events(span: _Span, uploads: Sequence[Tracking]) -> Iterator[Entry]:
    wanted = select(
        MuxEvent.id, MuxEvent.received_at, MuxEvent.occurred_at, MuxEvent.type, MuxEvent.outcome,
        MuxEvent.attempts, MuxEvent.error,
    ).where(conditions.events_about(span.target_id, uploads))  # fmt: skip
    for row in db.session.execute(span.of(wanted, MuxEvent.received_at)):
        what, detail, bad = event_words(row)
        yield Entry(row.received_at, "event", MUX, what, detail, bad, row.id)


def _calls(span: _Span) -> Iterator[Entry]:
    wanted = select(MuxCall).where(MuxCall.target_id == span.target_id)
    for row in db.session.scalars(span.of(wanted, MuxCall.at)):
        what, bad = call_words(row.operation, row.outcome)
        yield Entry(row.at, "call", SYSTEM, what, answer_words(row.detail), bad, row.id)


def _outbox(span: _Span, uploads: Sequence[Tracking]) -> Iterator[Entry]:
    """Deletions and cancellations, by one statement for both."""
    ids = [row.upload_id for row in uploads if row.upload_id]
    deletions = _outbox_rows(
        AssetDeletion, "deletion", "asset", AssetDeletion.mux_asset_id, AssetDeletion.reason
    ).where(AssetDeletion.target_id == span.target_id)
    cancellations = _outbox_rows(
        UploadCancellation, "cancellation", "upload", UploadCancellation.upload_id, literal("", Text)
    ).where(UploadCancellation.upload_id.in_(ids))
    both = union_all(
        span.of(deletions, AssetDeletion.requested_at),
        span.of(cancellations, UploadCancellation.requested_at),
    )
    for row in db.session.execute(both):
        yield from _outbox_entries(row, span)


def _outbox_rows(
    model: type[AssetDeletion] | type[UploadCancellation], what: str, noun: str, key: Any, reason: Any
) -> Select[Any]:
    """Of either, under the same names: what is done, to what of Mux, why, and how far it came."""
    return select(
        literal(what).label("what"), literal(noun).label("noun"), key.label("key"), reason.label("reason"),
        model.id, model.requested_at, model.due_at, model.done_at, model.attempts, model.last_error,
    )  # fmt: skip


def _outbox_entries(row: Any, span: _Span) -> Iterator[Entry]:
    what, which = f"{row.what} at Mux", f"{row.noun} {row.key}"
    pending = f"due {_moment(row.due_at)}" if row.done_at is None else ""
    trouble = f"not done yet: {row.last_error}" if row.last_error and row.done_at is None else ""
    detail = "; ".join(plain(part) for part in (which, row.reason, pending, trouble) if part)
    yield Entry(row.requested_at, "promise", SYSTEM, f"Scheduled {what}", detail, bool(trouble), row.id)
    if row.done_at is not None and (span.before is None or row.done_at < span.before):
        tries = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else "Mux said so"
        yield Entry(row.done_at, "promise", SYSTEM, f"Done: {what}", f"{which}; {tries}", link=row.id)


def _uploads(span: _Span, uploads: Sequence[Tracking]) -> Iterator[Entry]:
    for row in uploads:
        facts = [
            (row.bytes_in_at, BROWSER, "Browser finished sending the file", row.filename, False),
            (row.attention_at, SYSTEM, "Marked as needing attention", "", True),
        ]
        if row.last_look_error:
            facts.append(
                (row.last_look_at, SYSTEM, "The last check with Mux failed", row.last_look_words, True)
            )
        for at, who, what, detail, bad in facts:
            if at is not None and (span.before is None or at < span.before):
                yield Entry(at, "upload", who, what, plain(detail), bad, row.id)


def _notices_and_notes(span: _Span) -> Iterator[Entry]:
    """By one statement for both: each has its moment, a text, and the account that it went to or came from."""
    parts = [_notices(span), _notes(span)] if span.kind == "lesson" else [_notices(span)]
    for row in db.session.execute(union_all(*parts)):
        yield _notice(row) if row.source == "notice" else _note(row)


def _notices(span: _Span) -> Any:
    column = Notification.lesson_id if span.kind == "lesson" else Notification.course_id
    wanted = (
        select(
            literal("notice").label("source"), Notification.id, Notification.created_at, User.email,
            Notification.message.label("text"), Notification.mailed_at,
        )
        .join(User, User.id == Notification.user_id)
        .where(column == span.target_id)
    )  # fmt: skip
    return span.of(wanted, Notification.created_at)


def _notice(row: Any) -> Entry:
    mailed = f" (mailed {_moment(row.mailed_at)})" if row.mailed_at else ""
    return Entry(
        row.created_at, "notice", SYSTEM, f"Notified {row.email}{mailed}", plain(row.text), link=row.id
    )


def _notes(span: _Span) -> Any:
    wanted = (
        select(
            literal("note").label("source"), StaffNote.id, StaffNote.created_at, User.email,
            StaffNote.text.label("text"), literal(None, DateTime(timezone=True)).label("mailed_at"),
        )
        .outerjoin(User, User.id == StaffNote.author_id)
        .where(StaffNote.lesson_id == span.target_id)
    )  # fmt: skip
    return span.of(wanted, StaffNote.created_at)


def _note(row: Any) -> Entry:
    who = row.email or "a removed account"
    return Entry(row.created_at, "note", who, "Note", plain(row.text, max_length=4000), link=row.id)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def as_text(owner: Lesson | Course, timeline: Timeline) -> str:
    """The timeline as plain text, for a ticket."""
    kind = owner.kind.title()
    lines = [
        f"{kind} {owner.id}: {plain(owner.title)}",
        f"video {owner.video_processing_status}, asset {owner.mux_asset_id or '-'}, playback {owner.mux_playback_id or '-'}",
    ]
    if isinstance(owner, Lesson):
        lines.append(f"{owner.status}{', publishes when ready' if owner.publish_on_ready else ''}")
    lines.append("Times are UTC." + (" Earlier entries are left out." if timeline.older else ""))
    lines.append("")
    for entry in timeline.entries:
        mark = "!" if entry.bad else " "
        tail = f" - {entry.detail}" if entry.detail else ""
        lines.append(f"{_moment(entry.at)} {mark} {entry.who}: {entry.what}{tail}")
    return "\n".join(lines) + "\n"
