"""Search for support: a local or a Mux id, an address with one, an e-mail address, a reference of an error, or words.

Exact ids first, each by its own index, then beginnings of ids; words only if no id fits, the trash only if nothing else does. Read-only; who may see the result
is decided by the caller.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, case, func, literal, or_, select, union_all

from lessonadmin.db import db
from lessonadmin.domain.models import (
    AssetDeletion,
    Batch,
    Course,
    ErrorReference,
    Kind,
    Lesson,
    MuxEvent,
    Purchase,
    Tracking,
    User,
    WaitingEvent,
    in_trash,
    owners,
)
from lessonadmin.domain.querying import bounded_count, full_text
from lessonadmin.domain.support import pasted
from lessonadmin.domain.support.pasted import Range
from lessonadmin.text.ids import as_id

MAX_OF_A_KIND = 10
MAX_IDS = 200
MAX_LENGTH = 300


@dataclass(frozen=True)
class Hit:
    """One thing that fits; `why` says by what, `at` when that was."""

    kind: str
    id: uuid.UUID
    title: str
    why: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Found:
    """Everything that fits, in groups, the likeliest first."""

    text: str
    hits: tuple[Hit, ...] = field(default=())

    @property
    def single(self) -> Hit | None:
        return self.hits[0] if len(self.hits) == 1 else None

    def of(self, kind: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.kind == kind]


def tidy(text: str) -> str:
    """What was meant, whatever was copied along."""
    return text.strip().strip("\"'<>“”").strip()[:MAX_LENGTH]


def find(text: str) -> Found:
    text = tidy(text)
    if not text:
        return Found("")
    hits: list[Hit] = []
    if len(text.split()) == 1:
        for wanted in pasted.ids_in_address(text) or [text]:
            hits = hits or _by_id(wanted)
        if not hits:
            hits = _by_email(text) if "@" in text else _by_beginning(text)
    elif as_id(text) is not None:
        hits = _by_id(text)
    return Found(text, tuple(hits or _by_words(text) or _in_trash(text)))


def _by_id(text: str) -> list[Hit]:
    return _by_our_id(text) or _by_other_id(text)


def lesson_ids(text: str) -> list[uuid.UUID]:
    """Lessons that an exact id of any kind names."""
    return _owner_ids(text, Lesson)["lesson"]


def course_ids(text: str) -> list[uuid.UUID]:
    return _owner_ids(text, Course)["course"]


def upload_ids(text: str) -> list[uuid.UUID]:
    """Uploads that an id of Mux, or a temporary one, names exactly."""
    found: set[uuid.UUID] = set()
    # One index each: an OR over four would make the planner read the whole table.
    for column in (
        Tracking.upload_id,
        Tracking.mux_asset_id,
        Tracking.mux_playback_id,
        Tracking.temp_asset_id,
    ):
        found.update(db.session.scalars(select(Tracking.id).where(column == text).limit(100)))
    return list(found)


def event_ids(text: str) -> list[uuid.UUID]:
    """Events of this id, by Mux's or the local one."""
    wanted, by_mux = as_id(text), MuxEvent.mux_event_id == text
    named = by_mux if wanted is None else or_(by_mux, MuxEvent.id == wanted)
    return list(db.session.scalars(select(MuxEvent.id).where(named)))


def account_ids(text: str) -> list[uuid.UUID]:
    """Accounts: one by its address or id, else all whose name or address has these words."""
    if (found := as_id(text)) is not None:
        return [found]
    exact = select(User.id).where(func.lower(User.email) == text.strip().lower())
    if (one := db.session.scalar(exact)) is not None:
        return [one]
    like = full_text.matches(User.search, text)
    return [] if like is None else list(db.session.scalars(select(User.id).where(like).limit(MAX_IDS)))


def titled_course_ids(text: str) -> list[uuid.UUID]:
    """A course by its id, else all that have these words in their titles."""
    if (found := as_id(text)) is not None:
        return [found]
    like = full_text.matches(Course.search, text)
    return [] if like is None else list(db.session.scalars(select(Course.id).where(like).limit(MAX_IDS)))


def _owner_ids(text: str, *models: type[Lesson] | type[Course]) -> dict[Kind, list[uuid.UUID]]:
    """What of these kinds an exact id names, by one statement for all."""
    found: dict[Kind, list[uuid.UUID]] = {model.kind: [] for model in models}
    text = tidy(text)
    if text and len(text.split()) == 1:
        for kind, one in db.session.execute(union_all(*(_named(model, text) for model in models))):
            if one not in found[kind]:
                found[kind].append(one)
    return found


def _named(model: type[Lesson] | type[Course], text: str) -> Select[Any]:
    """Lessons (or courses) that an exact id names: a part for each column, so that each is answered by its index."""
    column = owners.COLUMNS[model.kind]
    ours = as_id(text)
    parts: list[Select[Any]] = [
        select(model.id).where(model.mux_asset_id == text),
        select(model.id).where(model.mux_playback_id == text),
        *(
            select(column).where(one == text, column.is_not(None))
            for one in (
                Tracking.upload_id,
                Tracking.mux_asset_id,
                Tracking.mux_playback_id,
                Tracking.temp_asset_id,
            )
        ),
        select(MuxEvent.target_id).where(
            MuxEvent.mux_event_id == text,
            MuxEvent.target_type == model.kind,
            MuxEvent.target_id.is_not(None),
        ),
    ]
    if ours is not None:
        parts += [
            select(model.id).where(model.id == ours),
            select(column).where(Tracking.id == ours, column.is_not(None)),
        ]
    found = union_all(*parts).limit(MAX_IDS).subquery()
    return select(literal(model.kind), *found.c)


def _by_our_id(text: str) -> list[Hit]:
    wanted = as_id(text)
    if wanted is None:
        return []
    hits = _within(Range(wanted, wanted), "by its id")
    known = {hit.id for hit in hits}
    named = select(MuxEvent.id, MuxEvent.type).where(MuxEvent.mux_event_id == text)
    return hits + [
        Hit("event", row[0], row[1], "by its id") for row in db.session.execute(named) if row[0] not in known
    ]


def _by_beginning(text: str) -> list[Hit]:
    found = pasted.beginning(text)
    return _within(found, "its id begins so") if found is not None else []


def _within(ids: Range, why: str) -> list[Hit]:
    """Every local row with an id of these, a few of a kind, each by its key."""
    bought = select(Lesson.title).where(Lesson.id == Purchase.lesson_id).scalar_subquery()
    there_or_trash = {
        kind: case((model.deleted_at.is_(None), literal(kind)), else_=literal("trash"))
        for kind, model in owners.MODELS.items()
    }
    kinds: Sequence[tuple[Any, Any, Any]] = (
        (there_or_trash["lesson"], Lesson.id, Lesson.title),
        (there_or_trash["course"], Course.id, Course.title),
        ("event", MuxEvent.id, MuxEvent.type),
        ("tracking", Tracking.id, Tracking.status),
        ("batch", Batch.id, Batch.action),
        ("deletion", AssetDeletion.id, AssetDeletion.mux_asset_id),
        ("purchase", Purchase.id, func.coalesce(Purchase.lesson_title, bought)),
    )
    parts = (
        select(kind if isinstance(kind, ColumnElement) else literal(kind), key, title)
        .where(key.between(ids.first, ids.last))
        .order_by(key)
        .limit(MAX_OF_A_KIND)
        for kind, key, title in kinds
    )
    rows = db.session.execute(union_all(*parts), execution_options=in_trash.too())
    return [Hit(kind, key, title, why) for kind, key, title in rows] + _people(
        User.id.between(ids.first, ids.last)
    )


def _by_other_id(text: str) -> list[Hit]:
    """Ids of webhooks that wait, of Mux, and references of errors. Of an id of Mux, what it belongs to is wanted; an event or
    a deletion only if that is all."""
    known = _exactly(text)
    if known["waiting"]:
        return known["waiting"]
    ids = _owner_ids(text, Lesson, Course)
    hits = [*_titled(Lesson, ids["lesson"]), *_titled(Course, ids["course"])]
    return known["named"] or hits or [*known["deletion"], *known["about"]] or known["error"]


def _exactly(text: str) -> dict[str, list[Hit]]:
    """What has exactly this id beside lessons, courses and uploads, by what it is, by one statement of which each part has
    an index."""
    parts = {
        "waiting": _waiting_event(text),
        "named": _event("by its id at Mux").where(MuxEvent.mux_event_id == text),
        "deletion": _columns(
            "deletion", AssetDeletion.id, AssetDeletion.mux_asset_id, literal("its asset is to be deleted")
        ).where(AssetDeletion.mux_asset_id == text),
        "about": _event("is about this id")
        .where(or_(MuxEvent.object_id == text, MuxEvent.asset_id == text, MuxEvent.upload_id == text))
        .limit(MAX_OF_A_KIND),
        "error": _error(text),
    }
    found: dict[str, list[Hit]] = {name: [] for name in parts}
    labelled = (part.add_columns(literal(name)) for name, part in parts.items())
    for *columns, name in db.session.execute(union_all(*labelled)):
        found[name].append(Hit(*columns))
    return found


def _columns(kind: str, key: Any, title: Any, why: Any, at: Any = None) -> Select[Any]:
    """The columns of a hit."""
    return select(
        literal(kind), key, title, why, literal(None, DateTime(timezone=True)) if at is None else at
    )


def _event(why: str) -> Select[Any]:
    return _columns("event", MuxEvent.id, MuxEvent.type, literal(why))


def _waiting_event(text: str) -> Select[Any]:
    """A webhook that is stored and not applied yet, by Mux's id of the event or by its own."""
    by_mux = WaitingEvent.mux_event_id == text
    wanted = as_id(text)
    why = literal("Received, waits to be applied")
    return _columns(
        "waiting", WaitingEvent.id, WaitingEvent.mux_event_id, why, WaitingEvent.received_at
    ).where(by_mux if wanted is None else or_(by_mux, WaitingEvent.id == wanted))


def _error(text: str) -> Select[Any]:
    """An error that a person was shown, by the reference on the page."""
    title = ErrorReference.kind + " at " + ErrorReference.route
    who = func.coalesce(User.email, "not signed in")
    return (
        _columns("error", ErrorReference.id, title, who, ErrorReference.at)
        .outerjoin(User, User.id == ErrorReference.user_id)
        .where(ErrorReference.reference == text)
        .limit(MAX_OF_A_KIND)
    )


def _titled(model: type[Lesson] | type[Course], ids: list[uuid.UUID]) -> list[Hit]:
    if not ids:
        return []
    kind = model.kind
    rows = db.session.execute(select(model.id, model.title).where(model.id.in_(ids)).limit(MAX_OF_A_KIND))
    return [Hit(kind, row[0], row[1], "by an id of its video") for row in rows]


def _by_email(text: str) -> list[Hit]:
    return _people(func.lower(User.email) == text.lower())


def _people(condition: ColumnElement[bool]) -> list[Hit]:
    rows = db.session.execute(
        select(User.id, User.email, User.name, User.role, User.active, User.created_at)
        .where(condition, User.deleted_at.is_(None))
        .order_by(User.id.desc())
        .limit(MAX_OF_A_KIND)
    )
    return [
        Hit(
            "user",
            row.id,
            f"{row.name} ({row.email})" if row.name else row.email,
            f"Account exists: {row.role}{'' if row.active else ', disabled'}, since",
            row.created_at,
        )
        for row in rows
    ]


def _by_words(text: str) -> list[Hit]:
    hits: list[Hit] = []
    bounded_count.plan_by_values()
    for kind, model, owner in (
        ("lesson", Lesson, Lesson.creator_id),
        ("course", Course, Course.instructor_id),
    ):
        like = full_text.matches(model.search, text)
        if like is not None:
            rows = db.session.execute(
                select(model.id, model.title, User.email)
                .join(User, User.id == owner)
                .where(*bounded_count.narrowed(model.id, [like], MAX_OF_A_KIND))
                .order_by(model.id.desc())
                .limit(MAX_OF_A_KIND)
            )
            hits += [Hit(kind, row[0], row[1], f"by {row[2]}") for row in rows]
    like = full_text.matches(User.search, text)
    return hits if like is None else hits + _people(like)


def _in_trash(text: str) -> list[Hit]:
    """Deleted lessons and courses by their words; by their ids they are found with everything else."""
    parts = []
    for model in owners.MODELS.values():
        like = full_text.matches(model.search, text) if as_id(text) is None else None
        if like is not None:
            found = select(model.id, model.title).where(model.deleted_at.is_not(None), like)
            parts.append(found.order_by(model.deleted_at.desc()).limit(MAX_OF_A_KIND))
    rows = db.session.execute(union_all(*parts), execution_options=in_trash.too()) if parts else ()
    return [Hit("trash", row[0], row[1], "by words of its title or description") for row in rows]
