"""What is left of Mux's rate limits, read from the headers of the last answer of each token and bucket."""

import pytest

from lessonadmin import mux
from lessonadmin.mux import request as mux_requests
from lessonadmin.mux.request import RateLeft, rate_left, remember
from muxsim.client import Control
from tests.mux.calls import create
from tests.mux.fake_server import FakeServer, answer
from tests.settings import overridden


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mux_requests, "_seen", {})


def headers(remaining: str | None, limit: str | None = None) -> dict[str, str]:
    given = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Limit": limit}
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("remaining", "limit", "expected"),
    [
        ("19", "20", RateLeft(19, 20)),
        ("0", "20", RateLeft(0, 20)),
        ("-1", "20", RateLeft(0, 20)),
        ("19.9", "20.5", RateLeft(19, 20)),
        ("5", None, RateLeft(5, None)),
        ("5", "many", RateLeft(5, None)),
        ("5", "-3", RateLeft(5, 0)),
    ],
)
def test_the_headers_of_an_answer_are_whole_numbers_from_zero(
    remaining: str, limit: str | None, expected: RateLeft
) -> None:
    remember("low", headers(remaining, limit), creating=False)
    assert rate_left("low") == expected


@pytest.mark.parametrize(("remaining", "limit"), [(None, None), (None, "20"), ("many", "20"), ("", "20")])
def test_an_answer_that_does_not_say_what_is_left_changes_nothing(
    remaining: str | None, limit: str | None
) -> None:
    remember("low", headers(remaining, limit), creating=False)
    assert rate_left("low") is None
    remember("low", headers("7", "20"), creating=False)
    remember("low", headers(remaining, limit), creating=False)
    assert rate_left("low") == RateLeft(7, 20)


def test_tokens_that_are_not_used_any_more_do_not_fill_the_memory() -> None:
    for number in range(mux_requests.MAX_TOKENS * 2 + 1):
        with overridden(mux_worker_token_id=f"token{number}"):
            remember("low", headers(str(number)), creating=False)
            assert rate_left("low") == RateLeft(number, None)
            assert len(mux_requests._seen) <= mux_requests.MAX_TOKENS


def test_what_is_left_of_the_rate_limit_is_remembered_by_token_and_bucket(simulator: Control) -> None:
    create()
    mux.list_assets(priority="high")
    mux.list_assets(priority="low")
    made, asked, worker = mux.rate_left("high", creating=True), mux.rate_left("high"), mux.rate_left("low")
    assert made is not None
    assert asked is not None
    assert worker is not None
    assert (made.limit, asked.limit, worker.limit) == (20, 100, 20)
    assert worker.remaining <= 19


def test_nothing_is_known_of_a_rate_limit_before_the_first_answer(fake: FakeServer) -> None:
    fake.script(answer({"data": []}, X_RateLimit_Remaining="many"))
    with overridden(mux_worker_token_id="never-used"):
        assert mux.rate_left("low") is None
        mux.list_assets(priority="low")
        assert mux.rate_left("low") is None
