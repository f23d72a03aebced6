"""What compressing a page saves and costs: its bytes and the time of the processor, at several levels.

Run: ``bin/bench compression`` (``LESSONS=20000 bin/bench compression`` for more). The pages are the product's own, with the
lessons of `seed_panel`. It fails if the level in use takes longer than MAX_MILLISECONDS for any page.
"""

import logging
import os
import statistics
import time
import zlib

from bench.seed_panel import seed
from bench.workload.servers import servers

LESSONS = int(os.environ.get("LESSONS", "2000"))
LEVELS = (1, 3, 5, 6, 9)
REPEATS = 30
MAX_MILLISECONDS = 3.0
PAGES = {
    "instructor": ("/lessons", "/lessons/new", "/lessons/{lesson}/edit"),
    "admin": ("/admin/", "/admin/lesson/", "/admin/event/", "/admin/audit/", "/api/docs"),
}


def spent(body: bytes, level: int) -> tuple[int, float]:
    """Bytes and milliseconds of one compression, the median of several."""
    from lessonadmin.security import compression

    took = []
    size = 0
    for _ in range(REPEATS):
        began = time.process_time()
        size = len(compression.compressed(body, level))
        took.append((time.process_time() - began) * 1000)
    return size, statistics.median(took)


def pages(settings: dict[str, str]) -> dict[str, bytes]:
    """Each page by its address, as a user of its role gets it."""
    from lessonadmin import config, create_app
    from lessonadmin.db import CLI, db, transaction
    from lessonadmin.domain.accounts import sessions
    from lessonadmin.domain.models import Lesson, User

    app = create_app(config.load(settings))
    logging.disable(logging.INFO)
    found = {}
    with app.app_context():
        lesson = db.session.query(Lesson).filter(Lesson.video_processing_status == "ready").limit(1).one()
        admin = db.session.query(User).filter(User.role == "admin").limit(1).one()
        people = {"instructor": db.session.get_one(User, lesson.creator_id), "admin": admin}
        for role, addresses in PAGES.items():
            with transaction(CLI):
                secret = sessions.begin(people[role], address="127.0.0.1", user_agent="bench")
            browser = app.test_client()
            with browser.session_transaction() as session:
                session.update(secret=secret)
                session.permanent = True
            for address in addresses:
                answer = browser.get(address.format(lesson=lesson.id))
                if answer.status_code != 200:
                    raise RuntimeError(f"{address} answered {answer.status_code}")
                found[address] = answer.data
        db.engine.dispose()
    return found


def measure(settings: dict[str, str]) -> list[str]:
    from lessonadmin.security import compression

    wrong = []
    for address, body in pages(settings).items():
        for level in LEVELS:
            size, milliseconds = spent(body, level)
            print(
                f"{address}, level {level}\t{milliseconds:.2f} ms\t{len(body):,} to {size:,} bytes",
                flush=True,
            )
            if level == compression.LEVEL and milliseconds > MAX_MILLISECONDS:
                wrong.append(f"{address}: {milliseconds:.1f} ms")
    return wrong


def main() -> int:
    print(f"zlib {zlib.ZLIB_RUNTIME_VERSION}", flush=True)
    with servers() as (postgres, environment):
        seed(postgres.url("bench"), LESSONS)
        wrong = measure(environment)
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return 1 if wrong else 0
