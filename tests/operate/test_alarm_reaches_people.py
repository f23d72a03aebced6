"""One alarm from its cause to its end, as people and machines see it: notice, mail, page, metric."""

from collections.abc import Iterator

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from lessonadmin.db import JOB, db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.health import alarms
from lessonadmin.domain.notifications import delivery
from tests import postbox
from tests.factories import make_user, signed_in
from tests.mux_sim import MuxSim
from tests.postbox import Postbox
from tests.settings import overridden


@pytest.fixture
def box(mux_sim: MuxSim) -> Iterator[Postbox]:
    with postbox.running() as running, overridden(mail_url=running.url):
        yield running


def metric(page: str, kind: str) -> float:
    (found,) = [
        one.value
        for family in text_string_to_metric_families(page)
        for one in family.samples
        if one.name == "lessonadmin_alarm" and one.labels == {"kind": kind}
    ]
    return found


def test_an_alarm_is_seen_everywhere_and_its_end_too(app: Flask, box: Postbox) -> None:
    support, instructor = make_user(role="support"), make_user()
    browser = signed_in(support)
    heartbeats.record("worker:here:1")
    db.session.execute(text("UPDATE heartbeats SET at = at - interval '10 minutes'"))
    db.session.commit()
    alarms.look(actor=JOB)
    alarms.look(actor=JOB)
    delivery.send_due()
    db.session.rollback()
    assert "No worker has been seen for more than 1 minute" in browser.get("/admin/").text
    assert metric(browser.get("/metrics").text, "no_worker") == 1
    assert metric(browser.get("/metrics").text, "quota") == 0
    assert "No worker is running" in browser.get("/notifications").text
    assert "No worker is running" not in signed_in(instructor).get("/notifications").text

    heartbeats.record("worker:here:1")
    alarms.look(actor=JOB)
    delivery.send_due()
    db.session.rollback()
    assert "No worker has been seen for more than" not in browser.get("/admin/").text
    assert metric(browser.get("/metrics").text, "no_worker") == 0
    assert [one.to for one in box.received] == [[support.email], [support.email]]
    bodies = [one.text for one in box.received]
    assert "Start a worker" in bodies[0]
    assert "/admin/" in bodies[0]
    assert "Over: no worker is running" in bodies[1]
    assert [bool(subject.strip()) for subject in box.subjects] == [True, True]
