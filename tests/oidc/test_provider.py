"""The discovery document and the keys: checked, kept, and read again when they have to be."""

import pytest
from joserfc.jwk import OctKey

from lessonadmin.oidc import provider
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong
from tests.oidc.test_calls import DOCUMENT
from tests.provider import Provider, new_key
from tests.settings import overridden


def test_the_document_is_read_once(school: Provider) -> None:
    first, second = provider.document(), provider.document()
    assert first == second
    assert first.token_endpoint == f"{school.url}/token"
    assert school.asked[DOCUMENT] == 1


def test_it_is_read_again_after_an_hour_and_for_another_issuer(
    school: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.document()
    monkeypatch.setattr(provider, "DOCUMENT_SECONDS", -1.0)
    provider.document()
    assert school.asked[DOCUMENT] == 2
    with overridden(oidc_issuer="http://127.0.0.1:1"), pytest.raises(ProviderAway):
        provider.document()


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "https://evil.example/token"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"jwks_uri": ["x"]},
    ],
)
def test_a_document_that_leads_elsewhere_is_refused(school: Provider, lie: dict[str, object]) -> None:
    school.document = lie
    with pytest.raises(ProviderWrong):
        provider.document()


@pytest.mark.parametrize(
    ("methods", "in_form"),
    [
        (None, False),
        (["client_secret_basic", "client_secret_post"], False),
        (["client_secret_post"], True),
        ("client_secret_post", False),
        ([7], False),
    ],
)
def test_the_secret_travels_as_the_provider_wants_it(
    school: Provider, methods: object, in_form: bool
) -> None:
    school.document = {"token_endpoint_auth_methods_supported": methods}
    assert provider.document().secret_in_form is in_form


def test_keys_are_kept_and_read_again_for_an_unknown_one_once_a_minute(
    school: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [key.kid for key in provider.keys().keys] == ["first"]
    school.keys = [new_key("second")]
    for _ in range(5):
        provider.keys()
        assert [key.kid for key in provider.keys(unknown=True).keys] == ["first"], "a minute has not passed"
    assert school.asked["/keys"] == 1
    monkeypatch.setattr(provider, "NEW_KEYS_EVERY_SECONDS", -1.0)
    assert [key.kid for key in provider.keys(unknown=True).keys] == ["second"]
    assert school.asked["/keys"] == 2


def test_shared_secrets_among_the_keys_count_for_nothing(school: Provider) -> None:
    school.keys = [OctKey.generate_key(256)]
    school.keys[0].as_dict = lambda private: {"kty": "oct", "k": "AAAA", "kid": "first"}  # type: ignore[method-assign]
    with pytest.raises(ProviderWrong):
        provider.keys()


@pytest.mark.parametrize("odd", [{}, {"keys": {}}, {"keys": []}, {"keys": [7, {"kty": "RSA"}]}])
def test_keys_that_are_not_understood(settings: object, odd: dict[str, object]) -> None:
    with pytest.raises(ProviderWrong):
        provider._key_set(odd)
