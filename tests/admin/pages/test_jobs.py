"""Jobs and doctor, over HTTP: RQ's own data, a failed job tried again or forgotten, Redis away, red lines with what to do."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.models import AuditLog
from tests.admin.posting import said
from tests.factories import make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden
from tests.workers import work_off

JOBS = "/admin/jobs/"


@pytest.fixture
def support(app: Flask, session: object) -> FlaskClient:
    return signed_in(make_user(role="support"))


def press(browser: FlaskClient, path: str, **fields: str) -> Any:
    return browser.post(JOBS + path, data={"csrf_token": csrf_of(browser, "/account"), **fields})


def failed(app: Flask, count: int = 1) -> list[str]:
    """Jobs that ran into an error, as a real worker leaves them."""
    jobs = [
        queue.queue("bulk").enqueue("lessonadmin.jobs.batches.run_batch_item", "no id") for _ in range(count)
    ]
    work_off(app)
    return [job.id for job in jobs]


def test_an_empty_room(support: FlaskClient, redis_url: str) -> None:
    text = page_of(support.get(JOBS)).text()
    assert "No worker is there" in text
    assert "No job has failed" in text


def test_a_failed_job_says_why_and_is_tried_again_or_forgotten(
    app: Flask, support: FlaskClient, redis_url: str
) -> None:
    first, second = failed(app, 2)
    text = page_of(support.get(JOBS)).text()
    assert "ValueError" in text
    assert text.count("Retry") >= 2
    press(support, "retry", job=first)
    assert "The job is in its queue again." in said(support)
    assert queue.queue("bulk").job_ids == [first]
    press(support, "delete", job=second)
    assert queue.queue("bulk").failed_job_registry.get_job_ids() == []
    assert {row.action for row in db.session.scalars(select(AuditLog))} >= {"job.retried", "job.deleted"}
    text = page_of(support.get("/admin/audit/")).text()
    assert "Tried a failed job again" in text
    assert "Forgot a failed job" in text


def test_all_failed_jobs_are_tried_again(app: Flask, support: FlaskClient, redis_url: str) -> None:
    ids = failed(app, 3)
    press(support, "retry-all")
    assert set(queue.queue("bulk").job_ids) == set(ids)


@pytest.mark.parametrize("path", ["retry", "delete"])
def test_a_job_that_is_not_there(support: FlaskClient, redis_url: str, path: str) -> None:
    for job in ("", "x", "y" * 5000, "*"):
        assert press(support, path, job=job).status_code == 302
    assert "is not there any more" in said(support)


def test_redis_away_is_said_and_breaks_nothing(support: FlaskClient) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert "Redis does not answer." in page_of(support.get(JOBS)).text()
        for path in ("retry", "retry-all", "delete"):
            press(support, path, job="x")
            assert "Redis does not answer right now" in said(support)
    assert db.session.scalars(select(AuditLog).where(AuditLog.action.startswith("job."))).all() == []


def test_the_doctors_lines_are_those_of_the_command(support: FlaskClient, redis_url: str) -> None:
    heartbeats.record("clock")
    page = page_of(support.get("/admin/doctor/"))
    lines = all_checks.examine(seconds=6)
    shown = [attrs["data-level"] for _, attrs in page.elements if "data-level" in attrs]
    assert sorted(filter(None, shown)) == sorted(line.level for line in lines)
    for line in lines:
        assert line.name in page.text()
        if line.level != "ok":
            assert line.todo in page.text(), line.name
    (workers,) = [line for line in lines if line.name == "workers"]
    assert workers.level == "FAIL", "nobody beats here"


@pytest.mark.parametrize("path", [JOBS, "/admin/doctor/", "/admin/search/", "/admin/"])
def test_an_instructor_who_types_an_admin_address(app: Flask, path: str) -> None:
    for role in ("instructor", "student"):
        assert signed_in(make_user(role=role)).get(path).status_code == 404
    assert "/login" in (app.test_client().get(path).location or "")
