"""Jobs, over HTTP: RQ's own data, a failed job tried again or forgotten, Redis away."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin import queue
from lessonadmin.db import db
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


def test_nothing_works_and_nothing_has_failed(support: FlaskClient, redis_url: str) -> None:
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
    assert "Deleted a failed job" in text


def test_all_failed_jobs_are_tried_again(app: Flask, support: FlaskClient, redis_url: str) -> None:
    ids = failed(app, 3)
    press(support, "retry-all")
    assert set(queue.queue("bulk").job_ids) == set(ids)


@pytest.mark.parametrize("path", ["retry", "delete"])
@pytest.mark.parametrize("job", ["", "x", "y" * 5000, "*"], ids=["none", "x", "long", "star"])
def test_a_job_that_is_not_there(support: FlaskClient, redis_url: str, path: str, job: str) -> None:
    assert press(support, path, job=job).status_code == 302
    assert "is not there any more" in said(support)


def test_redis_away_is_said_and_breaks_nothing(support: FlaskClient) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert "Redis does not answer." in page_of(support.get(JOBS)).text()
        for path in ("retry", "retry-all", "delete"):
            press(support, path, job="x")
            assert "Redis does not answer right now" in said(support)
    assert db.session.scalars(select(AuditLog).where(AuditLog.action.startswith("job."))).all() == []


@pytest.mark.parametrize("path", [JOBS, "/admin/doctor/", "/admin/search/", "/admin/"])
@pytest.mark.parametrize("role", ["instructor", "student"])
def test_a_page_of_the_panel_does_not_exist_for_others(app: Flask, path: str, role: str) -> None:
    assert signed_in(make_user(role=role)).get(path).status_code == 404


@pytest.mark.parametrize("path", [JOBS, "/admin/doctor/", "/admin/search/", "/admin/"])
def test_a_page_of_the_panel_is_for_those_who_signed_in(app: Flask, path: str) -> None:
    assert "/login" in (app.test_client().get(path).location or "")
