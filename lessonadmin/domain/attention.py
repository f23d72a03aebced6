"""Which lessons and courses need a person, and why: the one rule behind every list, tab, figure and notice of that.

A cause is a set of lessons (or courses), for queries in two forms that hold the same rows: `ids_with` finds them by an
index, in a school of a million too; `has` asks it of one row after the other. `why_many` says it of a page, in a sentence.
A lesson that has several causes counts once, by the first of CAUSES. An attempt that failed or was refused beside a
video that plays needs no person: the lesson is as it was. What a person ended (cancelled, replaced, deleted) is none.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from lessonadmin.db import db
from lessonadmin.domain.models import Difference, Lesson, MuxCall, Owner, ReconcileRun, Tracking, owners
from lessonadmin.domain.querying.kept_statements import kept
from lessonadmin.domain.videos import conditions, wording
from lessonadmin.domain.videos.state_machine import KEPT_BACK, NOT_BEGUN, State

Cause = Literal[
    "deleted_at_mux", "unplayable", "failed", "missing_at_mux", "refused", "no_file", "stuck", "held"
]
# The most particular first: whatever failed is "failed", also what was deleted or is unplayable, and what has no file is stuck.
CAUSES: tuple[Cause, ...] = (
    "deleted_at_mux",
    "unplayable",
    "failed",
    "missing_at_mux",
    "refused",
    "no_file",
    "stuck",
    "held",
)
UNPLAYABLE = ("no_playback_id", "wrong_policy")
IN_USE: list[ColumnElement[str]] = [literal_column("'processing'"), literal_column("'ready'")]
Rule = Callable[[type[Any]], ColumnElement[bool]]


def _failed(model: type[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.video_processing_status == literal_column("'error'")
    return found


def _deleted_at_mux(model: type[Any]) -> ColumnElement[bool]:
    return and_(_failed(model), model.video_error_type == "deleted_at_mux")


def _unplayable(model: type[Any]) -> ColumnElement[bool]:
    return and_(_failed(model), model.video_error_type.in_(UNPLAYABLE))


# Missing at Mux


def _open_findings() -> ColumnElement[bool]:
    """What the newest comparison with Mux missed. One that missed nearly everything is not believed: it is an alarm."""
    newest = (
        select(ReconcileRun.id, ReconcileRun.summary)
        .where(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
        .order_by(ReconcileRun.started_at.desc())
        .limit(1)
        .subquery()
    )
    doubtful = func.coalesce(newest.c.summary["implausible"].astext, "") == "true"
    believed = select(newest.c.id).where(~doubtful).scalar_subquery()
    is_missing = Difference.kind == literal_column("'missing'")
    return and_(is_missing, Difference.mended_at.is_(None), Difference.run_id == believed)


def _not_seen_since() -> ColumnElement[bool]:
    """Mux has not shown the asset of this upload since it was missed."""
    began = select(ReconcileRun.started_at).where(ReconcileRun.id == Difference.run_id)
    run_began = began.correlate(Difference).scalar_subquery()  # of this finding, however deep this stands
    no_answer = or_(Tracking.last_look_at.is_(None), Tracking.last_look_error.is_not(None))
    return or_(no_answer, Tracking.last_look_at <= run_began)


def missing_upload() -> ColumnElement[bool]:
    """Of an upload and a finding: this upload's asset is the one that is missing."""
    same = and_(Tracking.mux_asset_id == Difference.mux_id, Tracking.is_current)
    return and_(same, Tracking.status.in_(IN_USE), _not_seen_since())


def _missed(model: type[Any]) -> ColumnElement[bool]:
    """Of a lesson (or course) and a finding about it: it still uses what is missing."""
    column = owners.COLUMNS[model.kind]
    here = (model, Difference)
    still = exists().where(column == model.id, missing_upload()).correlate(*here)
    tracked = exists().where(column == model.id, Tracking.mux_asset_id == Difference.mux_id).correlate(*here)
    untracked = and_(model.mux_asset_id == Difference.mux_id, ~tracked)
    return and_(_open_findings(), Difference.target_id == model.id, or_(still, untracked))


def _missing_at_mux(model: type[Any]) -> ColumnElement[bool]:
    return exists().where(_missed(model))


def _missing_since(target_id: Any) -> ColumnElement[Any]:
    """When a comparison missed first what is still missing."""
    found = select(func.min(ReconcileRun.started_at)).join(Difference, Difference.run_id == ReconcileRun.id)
    open_ = and_(Difference.kind == literal_column("'missing'"), Difference.mended_at.is_(None))
    return found.where(Difference.target_id == target_id, open_).scalar_subquery()


# Refused, held, stuck


def refused_upload() -> ColumnElement[bool]:
    """Of an upload: Mux issued no address for it, and it was the last attempt of its lesson or course."""
    later = aliased(Tracking)
    same = or_(
        and_(Tracking.lesson_id.is_not(None), later.lesson_id == Tracking.lesson_id),
        and_(Tracking.course_id.is_not(None), later.course_id == Tracking.course_id),
    )
    is_later = tuple_(later.created_at, later.id) > tuple_(Tracking.created_at, Tracking.id)
    # Of an upload without an error the rest is not asked: a comparison with nothing would not say no.
    has_error = Tracking.error_type.is_not(None)
    return and_(has_error, Tracking.error_type == NOT_BEGUN, ~exists().where(same, is_later))


def _has_none(model: type[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = model.video_processing_status == literal_column("'none'")
    return found


def _refused(model: type[Any]) -> ColumnElement[bool]:
    return and_(_has_none(model), exists().where(owners.COLUMNS[model.kind] == model.id, refused_upload()))


def held_uploads() -> ColumnElement[bool]:
    """Uploads whose file waits for a decision of staff."""
    return and_(Tracking.status == "cancelled", Tracking.error_type == KEPT_BACK[State.HELD])


def _held(model: type[Any]) -> ColumnElement[bool]:
    return exists().where(owners.COLUMNS[model.kind] == model.id, held_uploads())


def _no_file(model: type[Any]) -> ColumnElement[bool]:
    return exists().where(owners.COLUMNS[model.kind] == model.id, conditions.no_file_uploads())


def _stuck(model: type[Any]) -> ColumnElement[bool]:
    return ~conditions.not_stuck(model)


# Of lessons and courses

RULES: dict[Cause, Rule] = {
    "deleted_at_mux": _deleted_at_mux,
    "unplayable": _unplayable,
    "failed": _failed,
    "missing_at_mux": _missing_at_mux,
    "refused": _refused,
    "no_file": _no_file,
    "stuck": _stuck,
    "held": _held,
}


def has(cause: Cause, model: type[Any]) -> ColumnElement[bool]:
    """Asked of one lesson (or course) after the other."""
    return RULES[cause](model)


def by_index_of_its_own(cause: Cause, model: type[Any]) -> ColumnElement[bool] | None:
    """`has` for a cause of the lesson's (or course's) own columns, which an index finds in order; None for any other."""
    return has(cause, model) if cause in ("deleted_at_mux", "unplayable", "failed") else None


def ids_with(cause: Cause, model: type[Any]) -> Select[Any]:
    """The id of each that has this cause, once."""
    column = owners.COLUMNS[model.kind]
    if cause == "stuck":
        return conditions.stuck_ids(model)
    if cause == "no_file":
        return select(column.label("id")).where(conditions.no_file_uploads(), column.is_not(None))
    if cause == "missing_at_mux":
        return select(model.id).join(Difference, Difference.target_id == model.id).where(_missed(model)).distinct()  # fmt: skip
    if cause == "refused":
        return select(model.id).join(Tracking, column == model.id).where(_has_none(model), refused_upload())
    if cause == "held":
        found = select(column.label("id")).where(held_uploads(), ~conditions.in_trash(), column.is_not(None))
        return found.distinct()
    return select(model.id).where(has(cause, model))


# These alone hold every one that has any cause.
ALL: tuple[Cause, ...] = ("failed", "missing_at_mux", "refused", "stuck", "held")


@kept
def ids(model: type[Any], *, most: int | None = None) -> Select[Any]:
    """The id of each lesson (or course) that needs a person, once. `most`: no more than so many are looked for, to count them
    so far."""
    return _one_of(*(ids_with(cause, model) for cause in ALL), most=most)


def _one_of(*rows: Select[Any], most: int | None) -> Select[Any]:
    found = union(*(select(one.limit(most).subquery()) for one in rows) if most else rows).subquery()
    return select(found.c.id)


@kept
def newest_ids(model: type[Any], most: int) -> Select[Any]:
    """The ids of the newest of them, the newest first: of each cause its newest, so that many of one are not all read."""
    found = union(
        *(
            select(newest.c.id).order_by(newest.c.id.desc()).limit(most)
            for newest in (ids_with(cause, model).subquery() for cause in ALL)
        )
    ).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(most)


def needed(model: type[Any]) -> ColumnElement[bool]:
    """It needs a person: for a list of all of them."""
    found: ColumnElement[bool] = model.id.in_(ids(model))
    return found


def needed_by_each(model: type[Any]) -> ColumnElement[bool]:
    """The same, asked of one after the other: for a list that something else narrows, and for those that need none."""
    return or_(*(has(cause, model) for cause in ALL))


def count_by_cause() -> dict[Cause, int]:
    """How many lessons need a person, each counted by its first cause."""
    places = union_all(
        *(
            select(ids_with(cause, Lesson).subquery().c.id.label("id"), literal(place).label("place"))
            for place, cause in enumerate(CAUSES)
        )
    ).subquery()
    first = select(func.min(places.c.place).label("place")).group_by(places.c.id).subquery()
    rows = db.session.execute(select(first.c.place, func.count()).group_by(first.c.place))
    counts = {place: count for place, count in rows}  # noqa: C416  # mypy takes the rows for no pairs
    return {cause: counts.get(place, 0) for place, cause in enumerate(CAUSES)}


def why_many(rows: Sequence[Owner]) -> dict[uuid.UUID, str]:
    """Which of a page of lessons, or of courses, need a person, and why: the first cause as a sentence. One query."""
    return _sentences(_why(type(rows[0])), rows) if rows else {}


@kept
def _why(model: type[Any]) -> Select[Any]:
    column = owners.COLUMNS[model.kind]
    late = select(Tracking.status).where(column == model.id, conditions.stuck_uploads()).limit(1)
    return select(
        model.id,
        model.video_error_type.label("error_type"),
        func.coalesce(late.scalar_subquery(), model.video_processing_status).label("status"),
        *(has(cause, model).label(cause) for cause in CAUSES),
        case((_refused(model), _refusal(model.id))).label("refusal"),
        case((_missing_at_mux(model), _missing_since(model.id))).label("missing_since"),
    ).where(model.id == any_(bindparam("ids", type_=ARRAY(Uuid))))


def _refusal(target_id: Any) -> ColumnElement[Any]:
    """How the newest call for an upload address ended."""
    newest = select(MuxCall.outcome).where(
        MuxCall.target_id == target_id, MuxCall.operation == "create_upload"
    )
    return newest.order_by(MuxCall.at.desc()).limit(1).scalar_subquery()


def _sentences(asked: Select[Any], rows: Sequence[Any]) -> dict[uuid.UUID, str]:
    found = {}
    for row in db.session.execute(asked, {"ids": [row.id for row in rows]}):
        cause = next((cause for cause in CAUSES if row._mapping[cause]), None)
        if cause is not None:
            detail = {
                "failed": row.error_type,
                "unplayable": row.error_type,
                "missing_at_mux": row.missing_since,
                "refused": row.refusal,
                "stuck": row.status,
            }
            found[row.id] = wording.why_attention(cause, detail.get(cause))
    return found


# Of uploads: those for which a lesson or course needs a person


def _ended_badly() -> ColumnElement[bool]:
    was_deleted = and_(Tracking.status == "deleted", Tracking.error_type == "deleted_at_mux")
    return and_(Tracking.is_current, or_(Tracking.status == "error", was_deleted))


def _of_one_without_video() -> ColumnElement[bool]:
    return or_(
        *(
            exists().where(model.id == owners.COLUMNS[kind], _has_none(model))
            for kind, model in owners.MODELS.items()
        )
    )


def _is_missing() -> ColumnElement[bool]:
    """Of an upload and a finding."""
    about = or_(Difference.target_id == Tracking.lesson_id, Difference.target_id == Tracking.course_id)
    return and_(_open_findings(), about, missing_upload())


def _has_open_finding() -> ColumnElement[bool]:
    return exists().where(_is_missing())


UPLOAD_RULES: dict[Cause, Callable[[], ColumnElement[bool]]] = {
    "deleted_at_mux": lambda: and_(_ended_badly(), Tracking.error_type == "deleted_at_mux"),
    "unplayable": lambda: and_(_ended_badly(), Tracking.error_type.in_(UNPLAYABLE)),
    "failed": _ended_badly,
    "missing_at_mux": _has_open_finding,
    "refused": lambda: and_(refused_upload(), _of_one_without_video()),
    "no_file": conditions.no_file_uploads,
    "stuck": conditions.stuck_uploads,
    "held": held_uploads,
}


def _needs_person(cause: Cause) -> ColumnElement[bool]:
    return and_(UPLOAD_RULES[cause](), ~conditions.in_trash())


@kept
def upload_ids(*, most: int | None = None) -> Select[Any]:
    """The id of each upload for which its lesson or course needs a person, once. `most`: as with `ids`."""
    missing = select(Tracking.id).join(Difference, Tracking.mux_asset_id == Difference.mux_id)
    return _one_of(
        missing.where(_is_missing(), ~conditions.in_trash()),
        *(select(Tracking.id).where(_needs_person(cause)) for cause in ALL if cause != "missing_at_mux"),
        most=most,
    )


def uploads() -> ColumnElement[bool]:
    return Tracking.id.in_(upload_ids())


def uploads_by_each() -> ColumnElement[bool]:
    """The same, asked of one after the other: for a list of so many that they are found on the way."""
    return or_(*(_needs_person(cause) for cause in ALL))


def why_uploads(rows: Sequence[Tracking]) -> dict[uuid.UUID, str]:
    """The same of a page of uploads."""
    return _sentences(_why_of_uploads(), rows) if rows else {}


@kept
def _why_of_uploads() -> Select[Any]:
    target_id = func.coalesce(Tracking.lesson_id, Tracking.course_id)
    columns: list[ColumnElement[Any]] = [
        Tracking.id.expression,
        Tracking.error_type.expression,
        Tracking.status.expression,
        *(_needs_person(cause).label(cause) for cause in UPLOAD_RULES),
        case((refused_upload(), _refusal(target_id))).label("refusal"),
        case((_has_open_finding(), _missing_since(target_id))).label("missing_since"),
    ]
    return select(*columns).where(Tracking.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
