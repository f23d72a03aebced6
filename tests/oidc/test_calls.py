"""Calls to the provider: to no other host, and with an end to every wait and every body."""

import time
from contextlib import ExitStack

import pytest

from lessonadmin.oidc import calls
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong
from tests.provider import Provider
from tests.settings import overridden

DOCUMENT = "/.well-known/openid-configuration"


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("trouble", ["slow", "drip"])
def test_a_slow_provider_is_away_in_time(school: Provider, trouble: str) -> None:
    school.trouble[DOCUMENT] = trouble
    began = time.monotonic()
    with pytest.raises(ProviderAway):
        calls.get_json(school.url + DOCUMENT)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("trouble", ["huge", "redirect", "noise", "list", "404", "401"])
def test_an_odd_answer_is_not_understood(school: Provider, trouble: str) -> None:
    school.trouble[DOCUMENT] = trouble
    with pytest.raises(ProviderWrong):
        calls.get_json(school.url + DOCUMENT)
    assert school.asked[f"/elsewhere{DOCUMENT}"] == 0, "a redirect is not followed"


@pytest.mark.parametrize("trouble", ["500", "503"])
def test_a_broken_provider_is_away_and_not_asked_twice(school: Provider, trouble: str) -> None:
    school.trouble[DOCUMENT] = trouble
    with pytest.raises(ProviderAway):
        calls.get_json(school.url + DOCUMENT)
    assert school.asked[DOCUMENT] == 1


def test_a_provider_that_is_not_there_is_away(settings: object) -> None:
    with pytest.raises(ProviderAway):
        calls.get_json("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/token",
        "http://login.school.example/token",
        "https://login.school.example.evil.example/",
        "https://user@login.school.example/",
        "ftp://login.school.example/",
        "//login.school.example/",
        "",
        None,
        7,
        "https://[",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_no_other_host_is_called(settings: object, address: object) -> None:
    with overridden(oidc_issuer="https://login.school.example"), pytest.raises(ProviderWrong):
        calls.check_address(address, "token_endpoint")


def test_hosts_of_the_settings_may_be_called(settings: object) -> None:
    with overridden(oidc_issuer="https://login.school.example", oidc_hosts=("keys.school.example",)):
        for address in ("https://login.school.example/token", "https://keys.school.example/x"):
            assert calls.check_address(address, "x") == address


def test_while_three_wait_no_fourth_does(settings: object) -> None:
    with ExitStack() as waiting:
        for _ in range(calls.MAX_AT_ONCE):
            waiting.enter_context(calls.one_of_few())
        with pytest.raises(ProviderAway):
            waiting.enter_context(calls.one_of_few())
    with calls.one_of_few():
        pass
