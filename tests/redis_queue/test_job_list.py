"""The list of jobs: every long job is a job, and every queue has one. That each name resolves is proved by the structure tests."""

from lessonadmin.redis_queue.job_list import JOB_SECONDS, JOBS, LONG_JOBS, QUEUES


def test_a_long_job_is_on_the_list_and_is_long() -> None:
    assert LONG_JOBS
    assert set(LONG_JOBS) <= set(JOBS)
    assert min(LONG_JOBS.values()) > JOB_SECONDS


def test_every_queue_has_a_job() -> None:
    assert set(JOBS.values()) == set(QUEUES)
