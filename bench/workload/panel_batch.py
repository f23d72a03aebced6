"""One process that publishes many lessons as a batch, on the database of its environment: rows a second, memory, calls.

``python -m bench.workload.panel_batch``; the last line of its answer is JSON. The work is done by the function that the worker
calls, in this one process from the first row to the last, so that memory that grows is seen; a simulated Mux counts.
"""

import json
import os
import time
import uuid
from pathlib import Path

from sqlalchemy import select

from muxsim.client import Control
from muxsim.server import Simulator

ROWS = 50_000
RUN_SECONDS = 5.0
MAX_SECONDS = 900


def megabytes() -> float:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def publish(control: Control) -> dict[str, float]:
    from lessonadmin.db import CLI, transaction
    from lessonadmin.domain.batches import batches, registry
    from lessonadmin.domain.models import Lesson

    drafts = select(Lesson.id).where(Lesson.status == "draft", Lesson.video_processing_status == "ready")
    began = time.monotonic()
    with transaction(CLI):
        batch_id = batches.create(
            registry.find("lesson", "publish"),
            drafts.order_by(Lesson.id).limit(ROWS),
            reason="bench",
            enqueue_job=False,
        ).id
    written = time.monotonic()
    print("working", flush=True)
    memory = _work(batch_id, written + MAX_SECONDS)
    done = batches.progress(batch_id)
    return {
        "rows": done.total, "done": done.done, "failed": done.failed, "skipped": done.skipped,
        "writing": written - began, "seconds": time.monotonic() - written,
        "memory_first": memory[0], "memory_most": max(memory), "calls": len(control.calls(0, target="api")),
    }  # fmt: skip


def _work(batch_id: uuid.UUID, until: float) -> list[float]:
    from lessonadmin.db import db
    from lessonadmin.domain.batches import batches, runner

    memory = []
    while not batches.progress(batch_id).finished and time.monotonic() < until:
        runner.run_some(batch_id, seconds=RUN_SECONDS)
        db.session.remove()
        memory.append(megabytes())
    return memory


def main() -> None:
    from lessonadmin import config, create_app
    from tests.settings import overridden

    app = create_app(config.load(dict(os.environ)))
    with (
        Simulator(tokens=[("bench", "bench", "high")]) as simulator,
        app.app_context(),
        overridden(mux_api_url=simulator.url),
    ):
        print(json.dumps(publish(Control(simulator.url))))


if __name__ == "__main__":
    main()
