"""The operations page with a million lessons: how long it takes to answer, for each span of its charts.

Run: ``bin/bench dashboard`` (``LESSONS=100000 bin/bench dashboard`` for less). The lessons are those of `seed_panel`; the
hours are rolled up first, as the clock does it. It fails if a page takes 200 ms or more at the median.
"""

import logging
import os
import statistics
import time
from datetime import datetime

from bench.seed_panel import seed
from bench.workload.servers import servers

LESSONS = int(os.environ.get("LESSONS", "1000000"))
MAX_MILLISECONDS = 200.0
REPEATS = 20


def roll_up() -> None:
    """Everything that the clock counts once an hour: first for the month behind, then for the present hour."""
    from lessonadmin.domain import hourly_statistics
    from lessonadmin.domain.health import mux_usage

    for what in ("the month behind", "the present hour"):
        began = time.perf_counter()
        hours = hourly_statistics.roll_up()
        print(f"rolling up {what}\t{time.perf_counter() - began:.2f} s\t{hours} hours", flush=True)
    began = time.perf_counter()
    mux_usage.count_stored()
    print(f"counting the minutes stored\t{time.perf_counter() - began:.2f} s\t", flush=True)


def must_show(span: str) -> None:
    """A page of empty charts would be quick, too."""
    from lessonadmin.domain.health import dashboard

    seen = dashboard.overview(span)
    empty = [
        name
        for name in ("uploads", "ended", "published", "ready_after", "reasons", "stuck", "discovered")
        if not getattr(seen, name)
    ]
    last: datetime | None = seen.last_event
    if empty or last is None or not seen.stored[1]:
        raise RuntimeError(f"the operations page of {span} has nothing to show for {empty}")


def measure(settings: dict[str, str]) -> list[str]:
    from lessonadmin import config, create_app
    from lessonadmin.db import CLI, db, transaction
    from lessonadmin.domain.accounts import sessions
    from lessonadmin.domain.health import dashboard
    from lessonadmin.domain.models import User

    app = create_app(config.load(settings))
    logging.disable(logging.INFO)
    with app.app_context():
        roll_up()
        for span in dashboard.SPANS:
            must_show(span)
        with transaction(CLI):
            user = db.session.query(User).filter(User.role == "admin").one()
            secret = sessions.begin(user, address="127.0.0.1", user_agent="bench")
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["secret"] = secret
        session.permanent = True
    wrong = []
    for span in dashboard.SPANS:
        spent = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            if browser.get(f"/admin/?span={span}").status_code != 200:
                raise RuntimeError(f"the operations page of {span} did not answer")
            spent.append((time.perf_counter() - began) * 1000)
        median = statistics.median(spent)
        print(f"operations page, {span}\t{median:.1f} ms\tat most {max(spent):.0f} ms", flush=True)
        if median >= MAX_MILLISECONDS:
            wrong.append(f"{span}: {median:.0f} ms")
    with app.app_context():
        db.engine.dispose()
    return wrong


def main() -> int:
    with servers() as (postgres, environment):
        print(f"seeding {LESSONS:,} lessons\t{seed(postgres.url('bench'), LESSONS):.0f} s\t", flush=True)
        wrong = measure(environment)
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return 1 if wrong else 0
