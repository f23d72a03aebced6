"""What is read of an ID token that is believed; what is not believed is in test_exchange.py, through a real provider."""

from typing import Any

import pytest

from lessonadmin.oidc.errors import ProviderWrong
from lessonadmin.oidc.id_token import _claims, read

WHOLE = {"iss": "https://login.school.example", "sub": "b7c1"}


@pytest.mark.parametrize(
    ("verified", "counts"), [(True, True), (False, False), ("true", False), (1, False), (None, False)]
)
def test_an_address_is_verified_only_by_true(verified: object, counts: bool) -> None:
    assert _claims({**WHOLE, "email_verified": verified}).email_verified is counts


@pytest.mark.parametrize(
    ("methods", "several"),
    [
        (["mfa"], True),
        (["pwd", "otp", "mfa"], True),
        (["pwd", "otp"], False),
        (["hwk"], False),
        ([], False),
        (None, False),
    ],
)
def test_only_mfa_is_a_second_factor(methods: object, several: bool) -> None:
    assert _claims({**WHOLE, "amr": methods}).second_factor is several


def test_odd_texts_are_empty() -> None:
    found = _claims({**WHOLE, "email": ["x"], "name": {"x": 1}})
    assert (found.email, found.name) == ("", "")


@pytest.mark.parametrize("token", [None, "", 7, b"x", ["x"], "x" * 40_000])
def test_what_is_no_text_is_no_token(settings: object, token: Any) -> None:
    with pytest.raises(ProviderWrong):
        read(token, nonce="n", access_token=None)
