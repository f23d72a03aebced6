"""The job of counting: asked for when it is due, and by itself as long as something is left."""

import pytest

from lessonadmin import queue
from lessonadmin.domain.figures import counting as rules
from lessonadmin.jobs import counting
from lessonadmin.redis_queue.job_list import QUEUES

pytestmark = pytest.mark.usefixtures("session", "redis_url")


def waiting() -> list[str]:
    return [job.func_name for name in QUEUES for job in queue.queue(name).jobs]


@pytest.mark.parametrize(("due", "expected"), [(True, [counting.JOB]), (False, [])])
def test_a_worker_gets_it_only_when_it_is_due(
    monkeypatch: pytest.MonkeyPatch, due: bool, expected: list[str]
) -> None:
    monkeypatch.setattr(rules, "is_due", lambda: due)
    assert counting.ask_when_due() is due
    assert waiting() == expected


@pytest.mark.parametrize(("more", "expected"), [(True, [counting.JOB]), (False, [])])
def test_a_slice_calls_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch, more: bool, expected: list[str]
) -> None:
    monkeypatch.setattr(rules, "count_some", lambda: more)
    counting.count_some()
    assert waiting() == expected
