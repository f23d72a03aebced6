"""Calls to other servers end in time and in size, whatever the server does; Mux's side of it is in tests/mux/test_transport.py."""

import time

import pytest
import urllib3

from lessonadmin import outbound
from tests.provider import running

LIMITS = outbound.Limits(connect=0.5, read=0.4, whole=0.8, body=1000)
DOCUMENT = "/.well-known/openid-configuration"


def call(trouble: str) -> outbound.Answer:
    pools = urllib3.PoolManager(retries=False)
    pools.pool_classes_by_scheme = outbound.POOLS
    with running() as server, outbound.bounded(LIMITS):
        server.trouble[DOCUMENT] = trouble
        return outbound.once(pools, "GET", server.url + DOCUMENT, headers={}, body=None, limits=LIMITS)


def test_an_answer_is_what_the_server_said() -> None:
    found = call("418")
    assert (found.status, found.body, found.headers["Content-Type"]) == (418, b"{}", "application/json")


@pytest.mark.parametrize("trouble", ["slow", "drip"])
def test_a_slow_answer_ends_with_the_call(trouble: str) -> None:
    began = time.monotonic()
    with pytest.raises((urllib3.exceptions.HTTPError, TimeoutError)):
        call(trouble)
    assert time.monotonic() - began < 1.5


def test_a_body_has_an_end() -> None:
    with pytest.raises(outbound.BodyTooLarge):
        call("huge")


def test_a_redirect_is_an_answer_like_any_other() -> None:
    assert call("redirect").status == 302
