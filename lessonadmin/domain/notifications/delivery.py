"""Notices by mail: a copy of what stands in the app, sent by a job, never in the way of anything.

The notice is a row that waits until it has left; a mail server that is away delays it and loses nothing. Notices of one
cause to one person leave as one digest, and the next one about that cause not before a while. What a mail says is in
`mail_text`, how it leaves in `smtp`.
"""

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    any_,
    case,
    func,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from lessonadmin import config
from lessonadmin.db import db, later
from lessonadmin.domain import backoff
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.models import Course, Lesson, Notification, User
from lessonadmin.domain.models.accounts import STAFF
from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from lessonadmin.domain.notifications import mail_text, student_readers
from lessonadmin.domain.notifications.mail_text import Notice
from lessonadmin.domain.notifications.smtp import Away, Refused, SmtpConnection

log = logging.getLogger(__name__)

LEASE_SECONDS = 300
PASS_SECONDS = 120  # a slow server must not hold up a sweep, nor outlast the lease
FIRST_PAUSE = 60
MAX_PAUSE_SECONDS = 6 * 3600
GIVE_UP_SECONDS = 5 * 86_400  # as long as mail servers themselves try
QUIET_SECONDS = 30 * 60  # between two mails to one person about one cause
MAX_AT_ONCE = 200

WAITING = and_(Notification.mail_wanted, Notification.mailed_at.is_(None))
Key = tuple[uuid.UUID, str, str]
DueRow = Row[uuid.UUID, uuid.UUID, str, str | None]


@dataclass(frozen=True)
class Bundle:
    """What leaves as one mail."""

    address: str
    wanted: bool
    notices: list[Notice]

    @property
    def ids(self) -> list[uuid.UUID]:
        return [notice.id for notice in self.notices]


def is_on() -> bool:
    return config.current().mail_url is not None


def send_due() -> int:
    """Send whatever waits; how many notices left. What many students are told at once never keeps others waiting: it takes the
    places that they leave."""
    if not is_on():
        return 0
    to_many = Notification.kind.in_(MAY_BE_MUTED)
    due = _first(not_(to_many), MAX_AT_ONCE)
    return _send_these([*due, *_first(to_many, MAX_AT_ONCE - len(due))])


def _first(these: ColumnElement[bool], most: int) -> Sequence[DueRow]:
    return db.session.execute(_due().where(these).order_by(Notification.mail_due_at).limit(most)).all()


def send_one(notice_id: uuid.UUID) -> int:
    """Send one notice if it is due, with whatever waits for the same person and cause."""
    if not is_on():
        return 0
    return _send_these(db.session.execute(_due().where(Notification.id == notice_id)).all())


def _due() -> Select[uuid.UUID, uuid.UUID, str, str | None]:
    return select(Notification.id, Notification.user_id, Notification.kind, Notification.cause).where(
        WAITING, Notification.mail_due_at <= func.clock_timestamp()
    )


def _send_these(due: Sequence[DueRow]) -> int:
    causes = {(row.user_id, row.kind, row.cause) for row in due if row.cause is not None}
    quiet = _put_off(causes) if causes else set()
    ids = [row.id for row in due if (row.user_id, row.kind, row.cause) not in quiet]
    return _send(_bundles(_claim(ids, causes - quiet))) if ids else 0


def _put_off(causes: set[Key]) -> set[Key]:
    """Causes that a user got a mail about a moment ago: their notices wait, and leave together when it is time."""
    key = (Notification.user_id, Notification.kind, Notification.cause)
    last = func.max(Notification.mailed_at)
    recent = db.session.execute(
        select(*key).where(tuple_(*key).in_(causes)).group_by(*key).having(last > later(-QUIET_SECONDS))
    )
    quiet: set[Key] = {(user_id, kind, cause) for user_id, kind, cause in recent if cause is not None}
    if quiet:
        db.session.execute(
            update(Notification)
            .where(WAITING, tuple_(*key).in_(quiet), Notification.mail_due_at <= func.clock_timestamp())
            .values(mail_due_at=later(QUIET_SECONDS / 2))
        )
    db.session.commit()
    return quiet


def _claim(ids: Sequence[uuid.UUID], causes: Iterable[Key]) -> list[uuid.UUID]:
    """Take notices in hand for a while, so that two workers do not send the same one."""
    due = and_(Notification.id.in_(ids), Notification.mail_due_at <= func.clock_timestamp())
    key = tuple_(Notification.user_id, Notification.kind, Notification.cause)
    # not yet due and never tried: they join this mail
    fresh = and_(key.in_(list(causes)), Notification.mail_attempts == 0)
    claimed = db.session.scalars(
        update(Notification)
        .where(WAITING, or_(due, fresh))
        .values(mail_due_at=later(LEASE_SECONDS), mail_attempts=Notification.mail_attempts + 1)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).all()
    db.session.commit()
    return list(claimed)


def _bundles(ids: Sequence[uuid.UUID]) -> list[Bundle]:
    """One mail a person and cause, read in one go: nothing of the database is held while mails are sent."""
    rows = db.session.execute(
        select(
            *(Notification.id, Notification.user_id, Notification.kind, Notification.message),
            *(Notification.cause, Notification.lesson_id, Notification.course_id),
            func.coalesce(Lesson.title, Course.title, "").label("title"),
            _is_theirs().label("is_theirs"),
            func.coalesce(Notification.mail_to, User.email).label("email"),
            _is_wanted().label("wanted"),
        )
        .join(User, User.id == Notification.user_id)
        .outerjoin(Lesson, Lesson.id == Notification.lesson_id)
        .outerjoin(Course, Course.id == Notification.course_id)
        .where(Notification.id.in_(ids))
        .order_by(Notification.id)
    ).all()
    db.session.commit()
    found: dict[tuple[uuid.UUID, str, str], list[Row[tuple[object, ...]]]] = defaultdict(list)
    for row in rows:
        found[row.user_id, row.kind, row.cause or str(row.id)].append(row)  # type: ignore[arg-type]
    return [Bundle(rows[0].email, rows[0].wanted, [_notice(row) for row in rows]) for rows in found.values()]


def _is_wanted() -> ColumnElement[bool]:
    """What happens to the account itself is sent to every user, also to a disabled one."""
    muted = Notification.kind == any_(User.muted_notices)
    return or_(
        Notification.kind == account_notices.KIND,
        # what students are told of lessons waits a while
        and_(
            *(User.active, User.mail_notices, not_(muted)),
            *(student_readers.still_true(Notification), student_readers.still_theirs()),
        ),
    )


def _is_theirs() -> ColumnElement[bool]:
    """Only staff are told of what is another person's; a former owner was told when it was their own."""
    owner_id = func.coalesce(Lesson.creator_id, Course.instructor_id, Notification.user_id)
    return or_(owner_id == Notification.user_id, User.role.not_in(STAFF))


def _notice(row: Row[tuple[object, ...]]) -> Notice:
    names = ("id", "user_id", "kind", "message", "cause", "lesson_id", "course_id", "title", "is_theirs")
    return Notice(**{name: row._mapping[name] for name in names})


def _send(bundles: list[Bundle]) -> int:
    sent, stop_at = 0, time.monotonic() + PASS_SECONDS
    with SmtpConnection() as connection:
        for number, bundle in enumerate(bundles):
            if time.monotonic() > stop_at:
                _put_back(bundles[number:])
                break
            try:
                sent += _send_one(connection, bundle)
            except Away as error:
                log.warning("the mail server is away: %s", error)
                _try_later(bundles[number:], str(error))
                break
    return sent


def _send_one(connection: SmtpConnection, bundle: Bundle) -> int:
    if not bundle.wanted:
        _note(bundle.ids, mail_wanted=False)
        return 0
    try:
        connection.send(mail_text.write(bundle.address, bundle.notices), bundle.address)
    except mail_text.Unwritable as error:
        _note(bundle.ids, mail_wanted=False, mail_error=str(error))
        return 0
    except Refused as error:
        log.warning("a mail could not be sent: %s", str(error).partition(":")[0])
        if error.for_good:
            _note(bundle.ids, mail_wanted=False, mail_error=str(error), mail_to=None)
        else:
            _try_later([bundle], str(error))
        return 0
    _note(bundle.ids, mailed_at=func.clock_timestamp(), mail_error=None, mail_to=None)
    return len(bundle.notices)


def _try_later(bundles: Sequence[Bundle], error: str) -> None:
    """After a pause that doubles, for as many days as mail servers try; in the app the notice stays for good."""
    pause = backoff.pause_of(Notification.mail_attempts, first=FIRST_PAUSE, max_seconds=MAX_PAUSE_SECONDS)
    _note(
        [notice_id for bundle in bundles for notice_id in bundle.ids],
        mail_error=error,
        mail_due_at=later(pause),
        mail_wanted=Notification.created_at > later(-GIVE_UP_SECONDS),
        mail_to=case((Notification.created_at > later(-GIVE_UP_SECONDS), Notification.mail_to)),
    )


def _put_back(bundles: Sequence[Bundle]) -> None:
    """These were not tried: the next pass does."""
    ids = [notice_id for bundle in bundles for notice_id in bundle.ids]
    _note(ids, mail_due_at=func.clock_timestamp(), mail_attempts=Notification.mail_attempts - 1)


def _note(ids: Sequence[uuid.UUID], **values: object) -> None:
    db.session.execute(
        update(Notification)
        .where(Notification.id.in_(ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
