"""Threads that compute answers, in groups: webhooks and /healthz have threads of their own, which no page can take.

A request that waits for a thread of its group costs memory only. How many threads all other requests have is gunicorn's
`--threads`.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger(__name__)

Job = Callable[[], object]
HEALTH_THREADS = 2
WEBHOOK_THREADS = 2  # each answers all that wait, which share a commit
# The beginning of a request line without its method, its query cut off; both addresses of the webhook.
OTHERS, WEBHOOKS = "others", "webhooks"
RESERVED = {"/healthz": "health", "/api/webhooks/mux": WEBHOOKS, "/api/mux/webhook": WEBHOOKS}


def group_of(request_line: bytes) -> str:
    """The group whose threads answer this request."""
    _, _, rest = request_line.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    return RESERVED.get(path.decode("latin-1"), OTHERS)


class ThreadPools:
    """Started in the process that uses them: threads do not live through a fork."""

    def __init__(self, threads: int) -> None:
        self._queues: dict[str, SimpleQueue[Job]] = {}
        for group, count in {"health": HEALTH_THREADS, WEBHOOKS: WEBHOOK_THREADS, OTHERS: threads}.items():
            queue = self._queues[group] = SimpleQueue[Job]()
            for number in range(count):
                name = f"{group}-{number + 1}"
                # A thread that hangs does not keep a stopping process: the grace for requests has ended before.
                threading.Thread(target=_work, args=(queue,), name=name, daemon=True).start()

    def submit(self, group: str, job: Job) -> None:
        self._queues[group].put(job)


def survive(job: Job) -> None:
    """Do it; whatever it raises ends neither the thread nor what the thread has to do after it."""
    try:
        job()
    except BaseException:
        log.exception("A thread of the web server goes on after an error that no request had caught")


def _work(queue: "SimpleQueue[Job]") -> None:
    while True:
        job = queue.get()
        survive(job)
        del job  # else the last request of each thread stays in memory
