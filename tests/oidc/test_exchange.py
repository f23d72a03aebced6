"""The way to the provider and back: PKCE, nonce and state, and what is believed of its answer."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lessonadmin.oidc import exchange, provider
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong
from lessonadmin.oidc.exchange import Secrets
from lessonadmin.oidc.id_token import Claims
from tests.provider import Provider, new_key

RANDOM = b"r" * 32


def sign_in(school: Provider, *, secrets: Secrets | None = None) -> Claims:
    location = exchange.address(Secrets.of(RANDOM), state="s")
    answer = school.signs_in(location)
    return exchange.claims_for(answer["code"], secrets or Secrets.of(RANDOM))


def test_an_honest_answer_is_believed(school: Provider) -> None:
    school.person |= {"email": "ada@school.example", "name": "Ada", "amr": ["pwd", "mfa"]}
    found = sign_in(school)
    assert (found.issuer, found.subject) == (school.url, "b7c1")
    assert (found.email, found.email_verified, found.name) == ("ada@school.example", True, "Ada")
    assert found.second_factor


def test_the_browser_is_sent_with_everything_that_protects(school: Provider) -> None:
    location = exchange.address(Secrets.of(RANDOM), state="the state")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert asked["redirect_uri"] == "http://localhost/login/single-sign-on/answer"
    assert asked["state"] == "the state"
    assert asked["nonce"] == Secrets.of(RANDOM).nonce
    assert Secrets.of(RANDOM).verifier not in location
    assert len(Secrets.of(RANDOM).verifier) == 43
    assert Secrets.of(b"other" * 8) != Secrets.of(RANDOM)


LIES: list[dict[str, Any]] = [
    {"nonce": "of another sign-in"},
    {"nonce": None},
    {"aud": "another client"},
    {"aud": ["another client"]},
    {"aud": None},
    {"iss": "https://evil.example"},
    {"iss": None},
    {"exp": 1_000_000_000},
    {"exp": None},
    {"exp": "tomorrow"},
    {"iat": 4_000_000_000},
    {"nbf": 4_000_000_000},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 256},
    {"azp": "another client"},
    {"amr": "mfa"},
    {"at_hash": "AAAA"},
]


@pytest.mark.parametrize(
    "lie", LIES, ids=lambda lie: "-".join(f"{key}={str(value)[:12]}" for key, value in lie.items())
)
def test_a_lie_is_not_believed(school: Provider, lie: dict[str, Any]) -> None:
    school.lies = lie
    with pytest.raises(ProviderWrong):
        sign_in(school)
    school.lies = {}
    assert sign_in(school)


@pytest.mark.parametrize(
    "sign", [Provider.unsigned, Provider.signed_by_public_key, Provider.signed_by_stranger]
)
def test_a_wrong_signature_is_not_believed(school: Provider, sign: Any) -> None:
    school.sign = sign
    with pytest.raises(ProviderWrong):
        sign_in(school)
    school.sign = None
    assert sign_in(school)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "." * 50, "x" * 40_000])
def test_what_is_no_token_is_not_believed(school: Provider, text: str) -> None:
    school.sign = lambda _provider, _claims: text
    with pytest.raises(ProviderWrong):
        sign_in(school)


def test_the_verifier_of_another_sign_in_exchanges_nothing(school: Provider) -> None:
    with pytest.raises(ProviderWrong):
        sign_in(school, secrets=Secrets.of(b"x" * 32))


def test_a_code_is_exchanged_once(school: Provider) -> None:
    answer = school.signs_in(exchange.address(Secrets.of(RANDOM), state="s"))
    assert exchange.claims_for(answer["code"], Secrets.of(RANDOM))
    with pytest.raises(ProviderWrong):
        exchange.claims_for(answer["code"], Secrets.of(RANDOM))
    for odd in ("", "x" * 5000):
        with pytest.raises(ProviderWrong):
            exchange.claims_for(odd, Secrets.of(RANDOM))


def test_a_rotated_key_is_found_and_the_old_one_counts_no_more(
    school: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(school)
    old = school.keys
    school.keys = [new_key("second")]
    monkeypatch.setattr(provider, "NEW_KEYS_EVERY_SECONDS", 0.0)
    assert sign_in(school)
    school.sign = lambda one, claims: Provider.signed(Provider(one.url, keys=old), claims)
    with pytest.raises(ProviderWrong):
        sign_in(school)


def test_a_flood_of_invented_keys_reads_the_keys_once(school: Provider) -> None:
    assert sign_in(school)
    invented = [new_key("invented")]
    school.sign = lambda one, claims: Provider.signed(Provider(one.url, keys=invented), claims)
    for _ in range(3):
        with pytest.raises(ProviderWrong):
            sign_in(school)
    assert school.asked["/keys"] == 1


def test_the_secret_in_the_form_works_too(school: Provider) -> None:
    school.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_in(school)


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("trouble", ["slow", "drip", "503"])
def test_a_provider_that_does_not_exchange_in_time_is_away(school: Provider, trouble: str) -> None:
    school.trouble["/token"] = trouble
    with pytest.raises(ProviderAway):
        sign_in(school)


@pytest.mark.parametrize("trouble", ["huge", "redirect", "noise"])
def test_a_provider_that_exchanges_for_something_else_is_wrong(school: Provider, trouble: str) -> None:
    school.trouble["/token"] = trouble
    with pytest.raises(ProviderWrong):
        sign_in(school)
    assert school.asked["/elsewhere/token"] == 0
