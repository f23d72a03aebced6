"""Minutes watched and plays of each lesson and day, which Mux counts and a nightly job asks for.

A day is one of UTC, since Mux counts in whole hours of UTC, and is asked for when it is over at Mux, which is twelve hours late. One
call brings the amounts of a hundred assets, whatever lessons they are of, so a night costs as many calls as hundreds of assets were
watched. The newest day comes first; the last three are counted again in the next nights, since reports come late; a day that was
missed is counted as long as Mux has it whole.

Each page is a transaction, with the number of the next one: a worker that is killed goes on there. A page writes over what it wrote before,
so nothing is counted twice. A lesson has a row for each asset that it ever had, also for those that are deleted; an asset that
several lessons use counts for the one that it was uploaded for.

A token that may not read plays is no alarm: it is noted, shown to people, and asked again in the next night.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config, mux
from lessonadmin.db import alone, db, is_locked
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Counted, CountedDay, Tracking
from lessonadmin.domain.models.health import COUNTED

log = logging.getLogger(__name__)

LOCK = 0x1E550E  # any number, the same in every process
COUNTED_AGAIN_DAYS = 3
NIGHT = timedelta(hours=20)
AFTER_A_FAILURE = timedelta(hours=1)
NOT_ALLOWED = "auth_error"
SLICE_SECONDS = 60.0  # of a job that may take 120
WAIT_SECONDS = 20.0
DAY = timedelta(days=1)

# What is already there is only written where it differs.
STORE = """
WITH counted AS (
  SELECT asset_id, amount FROM unnest(CAST(:assets AS text[]), CAST(:amounts AS float8[])) AS given (asset_id, amount)
), owned AS (
  SELECT DISTINCT ON (counted.asset_id) counted.asset_id, counted.amount, lessons.id
    FROM counted CROSS JOIN LATERAL (
      (SELECT lesson_id, 1 AS rank, created_at FROM mux_asset_tracking
        WHERE mux_asset_id = counted.asset_id AND lesson_id IS NOT NULL ORDER BY created_at, id LIMIT 1)
      UNION ALL
      (SELECT id, 2, created_at FROM lessons WHERE mux_asset_id = counted.asset_id ORDER BY created_at, id LIMIT 1)
      UNION ALL
      SELECT target_id, 3, requested_at FROM asset_deletions
       WHERE mux_asset_id = counted.asset_id AND target_type = 'lesson'
    ) AS found JOIN lessons ON lessons.id = found.lesson_id
   ORDER BY counted.asset_id, found.rank
)
INSERT INTO lesson_views (lesson_id, day, mux_asset_id, {column})
SELECT id, :day, asset_id, amount FROM owned
ON CONFLICT (lesson_id, day, mux_asset_id) DO UPDATE SET {column} = excluded.{column}
 WHERE lesson_views.{column} IS DISTINCT FROM excluded.{column}
"""
COLUMNS: Mapping[Counted, str] = {"minutes": "seconds", "plays": "plays"}


@dataclass(frozen=True)
class Page:
    """What is asked for next."""

    what: Counted
    day: date
    number: int


def _first_day(now: datetime) -> date | None:
    """The oldest one that Mux still has whole; none before the first upload, and None without any."""
    begun: datetime | None = db.session.scalar(select(func.min(Tracking.created_at)))
    return max(mux.oldest_day(now), begun.astimezone(UTC).date()) if begun is not None else None


def is_due() -> bool:
    """Is there anything to ask for, and no process that does?"""
    due = next_page() is not None and not is_locked(LOCK)
    db.session.rollback()
    return due


def next_page() -> Page | None:
    """Minutes before plays, the newest day first; None if all is counted, or has to wait after a failure."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    first = _first_day(now)
    return next(_pages(now, first), None) if first is not None else None


def _pages(now: datetime, first: date) -> Iterator[Page]:
    for what in COUNTED if plays_are_reported() else COUNTED[:1]:
        query = select(CountedDay).where(CountedDay.what == what, CountedDay.day >= first)
        rows = {row.day: row for row in db.session.scalars(query)}
        pause = NIGHT if what == "plays" else AFTER_A_FAILURE
        if any(row.failure == NOT_ALLOWED and _within(pause, row.failed_at, now) for row in rows.values()):
            return
        newest = day = mux.newest_day(now)
        while day >= first:
            row = rows.get(day)
            if row is None or _is_due(row, newest, now):
                yield Page(what, day, row.next_page or 1 if row is not None else 1)
            day -= DAY


def _is_due(row: CountedDay, newest: date, now: datetime) -> bool:
    if _within(AFTER_A_FAILURE, row.failed_at, now):
        return False
    if row.next_page is not None or row.counted_at is None:
        return True
    return newest - row.day < COUNTED_AGAIN_DAYS * DAY and not _within(NIGHT, row.counted_at, now)


def _within(span: timedelta, moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now - span


def plays_are_reported() -> bool:
    """Players report to Mux Data only with its key."""
    return config.current().mux_env_key is not None


def count_some(*, seconds: float = SLICE_SECONDS) -> bool:
    """Ask for as many pages as there is time for; True if more can be asked for now."""
    until = time.monotonic() + seconds
    with db.engine.connect() as connection, alone(LOCK, on=connection) as first:
        while first and time.monotonic() < until:
            page = next_page()
            db.session.rollback()
            if page is None or not _count(page):
                return False
    return first


def _count(page: Page) -> bool:
    """Count one page; False if Mux cannot be asked now, or did not answer: this day waits for an hour, the others do not."""
    if not mux_budget.wait(max_seconds=WAIT_SECONDS):
        return False
    start = datetime(page.day.year, page.day.month, page.day.day, tzinfo=UTC)
    ask = mux.delivered_seconds if page.what == "minutes" else mux.plays
    try:
        found = ask(start=start, end=start + DAY, page=page.number, priority="low")
    except mux.MuxError as error:
        _failed(page, error)
        return False
    _store(page, found)
    mux_budget.went_well()
    return True


def _failed(page: Page, error: mux.MuxError) -> None:
    # For minutes any token for videos will do, so only there it says that the token is wrong.
    if page.what == "minutes" or error.category != NOT_ALLOWED:
        mux_budget.went_wrong(error)
    log.warning("the %s of %s are not counted: %s", page.what, page.day, error.category)
    _note(page, failed_at=func.clock_timestamp(), failure=error.category)
    db.session.commit()


def _store(page: Page, found: mux.AmountPage) -> None:
    if found.amounts:
        db.session.execute(
            text(STORE.format(column=COLUMNS[page.what])),
            {"assets": list(found.amounts), "amounts": list(found.amounts.values()), "day": page.day},
        )
    done = {"next_page": None, "counted_at": func.clock_timestamp()}
    more = {"next_page": page.number + 1}
    _note(page, failed_at=None, failure=None, **(done if found.is_last else more))
    db.session.commit()


def _note(page: Page, **columns: object) -> None:
    row = insert(CountedDay).values(what=page.what, day=page.day, **columns)
    db.session.execute(row.on_conflict_do_update(index_elements=["what", "day"], set_=columns))
