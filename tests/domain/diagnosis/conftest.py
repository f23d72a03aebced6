"""Fixtures of the tests of diagnosis."""

import pytest

from lessonadmin.domain import heartbeats
from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson
from tests.mux_sim import MuxSim


@pytest.fixture(autouse=True)
def worker_and_clock_run(session: object) -> None:
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")


@pytest.fixture
def uploading(mux_sim: MuxSim) -> Lesson:
    """A lesson whose upload Mux waits for."""
    lesson = make_lesson()
    mux_sim.upload(lesson)
    return lesson
