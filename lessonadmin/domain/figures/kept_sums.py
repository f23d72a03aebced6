"""Sums of what was watched, kept by lesson and span and by day: the figures of the school need not add up a million rows.

Whatever changes a row of views changes the sums in the same transaction: PostgreSQL does it by triggers on the rows of `LessonView`, so a killed worker
leaves both or neither. What is left is time: a span begins a day later each day. The clock takes away the days that have left it. Until
then its sums are not current, and are not used: every reader asks for `current` in the statement that reads, and without it adds up the rows.

They are kept as decimal numbers, since those may be added and taken away in any order. They are read for the whole school alone,
that is by staff; an instructor's rows are few enough to be added up.
"""

from datetime import date

from sqlalchemy import ColumnElement, select, text

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.figures import scope
from lessonadmin.domain.figures.scope import SPANS, Span
from lessonadmin.domain.models import KeptSums

# Changes of rows wait until it is released, and it waits for those that are open; readers do not.
ALONE = "LOCK TABLE kept_sums IN EXCLUSIVE MODE"
FORGET = "DELETE FROM lesson_sums WHERE span = :span"
BY_LESSON = """
INSERT INTO lesson_sums (span, lesson_id, seconds, plays, views)
SELECT :span, lesson_id, sum(seconds::numeric), sum(plays), count(*) FROM lesson_views
 WHERE day >= coalesce(CAST(:first AS date), '-infinity') GROUP BY lesson_id
"""
FORGET_DAYS = "DELETE FROM day_sums"
BY_DAY = """
INSERT INTO day_sums (day, seconds, plays, views)
SELECT day, sum(seconds::numeric), sum(plays), count(*) FROM lesson_views GROUP BY day
"""
TAKE_AWAY = """
WITH gone AS (
  SELECT lesson_id, sum(seconds::numeric) AS seconds, sum(plays) AS plays, count(*) AS views
    FROM lesson_views WHERE day >= :old AND day < :first GROUP BY lesson_id
)
UPDATE lesson_sums SET seconds = lesson_sums.seconds - gone.seconds, plays = lesson_sums.plays - gone.plays,
    views = lesson_sums.views - gone.views
  FROM gone WHERE lesson_sums.lesson_id = gone.lesson_id AND span = :span
"""
LET_GO = """
DELETE FROM lesson_sums WHERE span = :span AND views = 0
   AND lesson_id IN (SELECT lesson_id FROM lesson_views WHERE day >= :old AND day < :first)
"""
KEPT = """
INSERT INTO kept_sums (span, first_day) VALUES (:span, :first)
ON CONFLICT (span) DO UPDATE SET first_day = excluded.first_day
"""


def current(span: Span, first: date | None) -> ColumnElement[bool]:
    """Are the sums those of the span that begins with this day?"""
    wanted = KeptSums.first_day.is_not_distinct_from(first)
    return select(KeptSums.span).where(KeptSums.span == span, wanted).exists()


def renew(today: date | None = None) -> list[Span]:
    """Bring each span up to this day, in a transaction of its own; which ones were not there."""
    today = today or scope.today()
    late = [
        span for span in SPANS if not db.session.scalar(select(current(span, scope.first_day(span, today))))
    ]
    db.session.rollback()
    for span in late:
        with transaction(JOB):
            db.session.execute(text(ALONE))
            _renew(span, scope.first_day(span, today))
    return late


def _renew(span: Span, first: date | None) -> None:
    """Only what has left the span is read, if its sums are of an earlier day; else, as after the clock was set back, all of it."""
    if db.session.scalar(select(current(span, first))):
        return  # another clock did
    kept = db.session.scalar(select(KeptSums.first_day).where(KeptSums.span == span))
    values = {"span": span, "first": first, "old": kept}
    if kept is not None and first is not None and kept < first:
        statements = [TAKE_AWAY, LET_GO]
    else:
        statements = [FORGET, BY_LESSON, *([FORGET_DAYS, BY_DAY] if span == "all" else [])]
    for statement in (*statements, KEPT):
        db.session.execute(text(statement), values)
