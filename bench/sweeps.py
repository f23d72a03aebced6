"""What watching costs at Mux: calls for a lesson whose webhooks arrive, and calls a sweep when all of them are lost.

Run: ``bin/bench sweeps``
"""

import logging
import sys
import time
import uuid
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text

from bench.workload.servers import servers
from lessonadmin import config, create_app, mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Lesson, Tracking, User
from lessonadmin.domain.uploads import direct_upload
from muxsim.client import Control
from muxsim.server import Simulator
from tests.mux_sim import give
from tests.settings import overridden

HEALTHY = 50
LOST = 1000
TOKENS = [("bench", "bench", "high")]


def teacher() -> User:
    with transaction(CLI):
        found = User(email=f"{uuid.uuid4()}@school.example", name="T", role="instructor")
        db.session.add(found)
    return found


def calls(control: Control, since: int, method: str) -> int:
    return sum(1 for call in control.calls(since, target="api") if call["method"] == method)


def last(control: Control) -> int:
    found = control.calls()
    return int(found[-1]["seq"]) if found else 0


def published() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Lesson.status == "published")) or 0


def healthy(control: Control) -> None:
    """Uploads whose events all arrive, with a sweep after each ten."""
    user, began, heard = teacher(), last(control), 0
    for number in range(HEALTHY):
        with transaction(CLI):
            lesson = Lesson(creator_id=user.id, title=f"Healthy {number}")
            db.session.add(lesson)
        ticket = direct_upload.start(lesson, direct_upload.File(name="a.mp4"), actor=Actor.user(user.id))
        control.complete_upload(ticket.upload_id)
        control.flush_events()
        for event in control.events(heard):
            heard = event.pop("seq")
            give(event)
        if number % 10 == 9:
            sweep.sweep()
    posts, gets = calls(control, began, "POST"), calls(control, began, "GET")
    print(
        f"healthy lesson\t{posts / HEALTHY:g} POST, {gets / HEALTHY:g} GET\t{published()} of {HEALTHY} published"
    )


def lost(control: Control) -> None:
    """Lessons whose videos are ready at Mux while no webhook came."""
    user, before = teacher(), published()
    lessons = [{"id": uuid.uuid4(), "creator_id": user.id, "title": f"Lost {n}"} for n in range(LOST)]
    rows: list[dict[str, Any]] = [
        {"id": uuid.uuid4(), "lesson_id": one["id"], "owner_id": user.id, "upload_id": f"lost{number}", "status": "processing"}
        for number, one in enumerate(lessons)
    ]  # fmt: skip
    with transaction(CLI):
        db.session.execute(insert(Lesson.__table__), lessons)  # type: ignore[arg-type]
        db.session.execute(insert(Tracking.__table__), rows)  # type: ignore[arg-type]
        db.session.execute(
            text("UPDATE mux_asset_tracking SET next_check_at = now() WHERE status = 'processing'")
        )
    notes = [mux.Passthrough(lesson_id=row["lesson_id"], tracking_id=row["id"]).text() for row in rows]
    control.seed_each(
        [{"upload_id": row["upload_id"], "passthrough": note} for row, note in zip(rows, notes, strict=True)]
    )
    for number in range(1, 6):
        since, began = last(control), time.monotonic()
        summary = sweep.sweep()
        seconds = time.monotonic() - began
        if summary.failed:
            raise RuntimeError(f"the sweep failed: {summary.failed}")
        found = published() - before
        remark = f"{found} of {LOST} published after {seconds:.1f} s"
        print(
            f"sweep {number} over {LOST} lost lessons\t{calls(control, since, 'GET')} GET\t{remark}",
            flush=True,
        )
        if found == LOST:
            break


def measure(app: Flask) -> None:
    with app.app_context(), Simulator(tokens=TOKENS, processing_seconds=0.0, rate_limits=False) as simulator:
        with overridden(mux_api_url=simulator.url):
            healthy(Control(simulator.url))
            lost(Control(simulator.url))
        db.session.remove()
        db.engine.dispose()


def main() -> int:
    with servers() as (_, environment):
        app = create_app(config.load(environment))
        logging.disable(logging.WARNING)
        measure(app)
    return 0


if __name__ == "__main__":
    sys.exit(main())
