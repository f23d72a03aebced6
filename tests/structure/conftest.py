"""What the tests share that send requests of every role: an application with Mux behind it, and what a request has changed."""

import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from devstack.servers.for_tests import Servers
from lessonadmin.security import security_events
from muxsim.server import Simulator
from tests.mux_sim import TOKENS
from tests.settings import overridden
from tests.structure.matrix import Changes, Measuring


@pytest.fixture(scope="module")
def changes(app: Flask, pg_url: str, real_servers: Servers) -> Iterator[Changes]:
    with Changes(pg_url, real_servers.postgres.superuser) as found:
        yield found


@pytest.fixture(scope="module")
def mux() -> Iterator[None]:
    with Simulator(tokens=TOKENS, processing_seconds=0.0, rate_limits=False) as simulator:
        url = simulator.url
        with overridden(mux_api_url=url, mux_stream_url=url, mux_image_url=url):
            yield


@pytest.fixture
def measuring(
    app: Flask, changes: Changes, mux: None, empty_tables: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Measuring]:
    # a count of refusals is no change, and would make the world anew after each
    monkeypatch.setattr(security_events, "write_due", lambda: None)
    logging.disable(logging.CRITICAL)
    yield Measuring(app, changes, empty_tables)
    logging.disable(logging.NOTSET)
