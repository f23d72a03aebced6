"""Jobs are enqueued after the commit, and a Redis that is away does no harm."""

import time

import pytest

from lessonadmin import queue
from lessonadmin.db import JOB, transaction
from lessonadmin.redis_queue.job_list import QUEUES
from tests.settings import overridden


def pending() -> int:
    return sum(len(queue.queue(name)) for name in QUEUES)


def test_enqueueing_without_redis_is_quick_and_harmless(session: object) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        began = time.monotonic()
        assert queue.enqueue("lessonadmin.jobs.videos.check_asset", "x") is False
        assert time.monotonic() - began < 0.6


def test_a_job_waits_for_the_commit(session: object, redis_url: str) -> None:
    with pytest.raises(RuntimeError), transaction(JOB):  # noqa: PT012 - it is about both
        queue.enqueue_after_commit("lessonadmin.jobs.videos.check_asset", "x")
        raise RuntimeError
    assert pending() == 0
    with transaction(JOB):
        queue.enqueue_after_commit("lessonadmin.jobs.videos.check_asset", "x")
        assert pending() == 0
    assert pending() == 1
