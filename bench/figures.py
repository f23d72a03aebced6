"""The figures of a whole school with a million rows of what was watched, and a fifth of that sold: the page that staff ask for.

Run: ``bin/bench figures`` (``VIEWS=100000 bin/bench figures`` for less). The figure is the median in milliseconds of what the page asks
the database for; the remark says of how many rows. It fails if one takes longer than its bound. What all kept sums take that are made anew, and a
day that leaves its span, is printed beside it: the clock does that, and no page waits for it.
"""

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg

from bench.workload.servers import OWNER, servers
from lessonadmin import config, create_app
from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain.figures import figures, kept_sums, lesson_list, scope
from lessonadmin.domain.figures.scope import Scope

VIEWS = int(os.environ.get("VIEWS", "1000000"))
DAYS = 25
MAX_MILLISECONDS = 150.0
ROUNDS = 9
# Triggers rest meanwhile; what they would have written is written here.
SEED = """
ALTER TABLE lessons DISABLE TRIGGER USER;
ALTER TABLE lesson_views DISABLE TRIGGER USER;
ALTER TABLE purchases DISABLE TRIGGER USER;
INSERT INTO users (email, name, role) SELECT 'teacher' || n || '@school.example', 'Teacher ' || n, 'instructor' FROM generate_series(1, 100) n;
INSERT INTO users (email, name, role) SELECT 'student' || n || '@school.example', 'Student ' || n, 'student' FROM generate_series(1, 1000) n;
CREATE TEMP TABLE teacher AS SELECT row_number() OVER (ORDER BY email) - 1 AS place, id FROM users WHERE role = 'instructor';
CREATE TEMP TABLE student AS SELECT row_number() OVER (ORDER BY email) - 1 AS place, id FROM users WHERE role = 'student';
INSERT INTO lessons (title, creator_id, mux_asset_id, price_cents)
  SELECT 'Lesson ' || n, t.id, 'asset' || n, 900 FROM generate_series(1, {lessons}) n JOIN teacher t ON t.place = n % 100;
CREATE TEMP TABLE lesson AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, id, creator_id, mux_asset_id FROM lessons;
CREATE UNIQUE INDEX ON lesson (place);
ANALYZE lesson;
INSERT INTO lesson_views (lesson_id, day, mux_asset_id, owner_id, seconds, plays)
  SELECT id, (now() AT TIME ZONE 'UTC')::date - d, mux_asset_id, creator_id, 1 + (place * 7919 + d * 31) % 5000, 3
  FROM lesson, generate_series(1, {days}) d;
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents, created_at)
  SELECT l.id, s.id, l.creator_id, 900, now() - make_interval(hours => n % 720)
  FROM generate_series(0, {sales} - 1) n JOIN lesson l ON l.place = n % {lessons} JOIN student s ON s.place = n / {lessons};
INSERT INTO counted_days (what, day, counted_at)
  SELECT what, (now() AT TIME ZONE 'UTC')::date - d, now() FROM generate_series(1, 89) d, unnest(ARRAY['minutes', 'plays']) what;
ALTER TABLE lessons ENABLE TRIGGER USER;
ALTER TABLE lesson_views ENABLE TRIGGER USER;
ALTER TABLE purchases ENABLE TRIGGER USER;
VACUUM ANALYZE
"""


def seed(address: str) -> None:
    numbers = {"lessons": VIEWS // DAYS, "days": DAYS, "sales": VIEWS // 5}
    with psycopg.connect(address, autocommit=True) as database:
        for statement in SEED.format(**numbers).split(";\n"):
            database.execute(statement)  # type: ignore[arg-type]  # this module's own text


def parts() -> dict[str, Callable[[], object]]:
    school = Scope()
    return {
        "sums by day": lambda: figures.of(school, "30"),
        "the most watched lessons": lambda: lesson_list.best(school, "30", "minutes", 1),
        "the most sold lessons": lambda: lesson_list.best(school, "30", "sales", 1),
        "sums by month": lambda: figures.of(school, "all"),
    }


def renewals(address: str) -> dict[str, float]:
    """What the clock's renewals of kept sums take: of all that was watched yesterday, and of the days that leave their spans since."""
    took = {}
    today = scope.today()
    for name, day in (("sums made anew", today - timedelta(days=1)), ("a day leaves the spans", today)):
        began = time.perf_counter()
        kept_sums.renew(day)
        took[name] = (time.perf_counter() - began) * 1000
    with psycopg.connect(address, autocommit=True) as database:
        database.execute("VACUUM ANALYZE lesson_sums, day_sums")
    return took


def median(ask: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
        db.session.rollback()
    return statistics.median(took)


def main() -> int:
    with servers() as (_, environment):
        seed(environment[OWNER])
        app = create_app(config.load(environment))
        logging.disable(logging.WARNING)
        with app.app_context(), row_access.everything():
            clocks = renewals(environment[OWNER])
            found = {name: median(ask) for name, ask in parts().items()}
            db.engine.dispose()
    found["the page"] = found["sums by day"] + found["the most watched lessons"]
    for name, milliseconds in found.items():
        print(f"{name}\t{milliseconds:.0f} ms\tof {VIEWS:,} views and {VIEWS // 5:,} sales", flush=True)
    for name, milliseconds in clocks.items():
        print(f"{name}\t{milliseconds:.0f} ms\tby the clock", flush=True)
    wrong = [name for name, milliseconds in found.items() if milliseconds >= MAX_MILLISECONDS]
    for name in wrong:
        print(f"{name} takes {MAX_MILLISECONDS:.0f} ms or more", file=sys.stderr)
    return 1 if wrong else 0
