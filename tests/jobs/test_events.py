"""A parked event is applied by a job once its owner is there; an event that is gone is no failure."""

import uuid

import pytest

from lessonadmin.db import db
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import inbox
from lessonadmin.jobs import events
from tests.factories import make_event


def test_a_parked_event_is_tried_again(session: object) -> None:
    parked = make_event(outcome="unmatched", attempts=1)
    events.replay_event(str(parked.id))
    db.session.rollback()
    assert db.session.get_one(MuxEvent, parked.id, populate_existing=True).attempts == 2


def test_an_event_that_was_pruned_is_no_failure(session: object) -> None:
    events.replay_event(str(uuid.uuid4()))


def test_another_failure_is_one(session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(inbox, "replay", broken)
    with pytest.raises(RuntimeError):
        events.replay_event(str(uuid.uuid4()))
