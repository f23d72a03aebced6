"""Fixtures of the tests of batches."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor
from lessonadmin.domain import heartbeats
from tests.factories import make_user


@pytest.fixture
def staff(session: Session) -> Actor:
    return Actor.user(make_user(role="support").id, reason="ticket 1")


@pytest.fixture
def a_worker(session: Session, redis_connection: Any) -> None:
    """One was seen just now; it is the test that does its work."""
    heartbeats.record("worker:test:1")
