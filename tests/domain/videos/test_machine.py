"""The Hypothesis machine run against the product as it is."""

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.videos.machine import VideoMachine
from tests.domain.videos.machine_stories import STORIES, tell

# Derandomised: the same steps in every run, so that a red test is red again in the next. Not shrunk: that may
# take longer than everything else; to look into a failure, add Phase.shrink for that run.
WALKS = settings(
    max_examples=24,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def machine(app: Flask, empty_tables: Any) -> type[VideoMachine]:
    VideoMachine.app = app
    VideoMachine.empty = staticmethod(empty_tables)
    return VideoMachine


@pytest.mark.timeout(300)
def test_whatever_happens_every_lesson_ends_where_it_should(machine: type[VideoMachine]) -> None:
    run_state_machine_as_test(machine, settings=WALKS)


@pytest.mark.parametrize("story", STORIES)
def test_the_stories_that_catch_planted_faults_are_true(machine: type[VideoMachine], story: str) -> None:
    tell(machine, STORIES[story])
