"""The job that asks Mux what was watched: a slice at a time, each of which calls for the next one."""

from lessonadmin import queue
from lessonadmin.domain.figures import counting

JOB = "lessonadmin.jobs.counting.count_some"


def ask_when_due() -> bool:
    """A worker asks, so that the clock keeps ticking; also what a lost job has left."""
    return counting.is_due() and queue.enqueue(JOB)


def count_some() -> None:
    """Done twice at once, the second one does nothing."""
    if counting.count_some():
        queue.enqueue(JOB)
