"""Secrets, rows and e-mail addresses are hidden wherever in a text they stand."""

import pytest

from lessonadmin.security import hiding

SECRET = "s3cr3t-v4lu3"


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {SECRET}",
        f"postgresql://school:{SECRET}@db/lessons",
        f"https://x.example/?token={SECRET}&page=2",
        f"https://storage.googleapis.com/{SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"whsec_{SECRET}",
        f"DETAIL:  Failing row contains ({SECRET}\n, {SECRET}).",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    assert SECRET in text
    assert SECRET not in hiding.secrets(text)


def test_other_words_stay() -> None:
    assert hiding.secrets("lesson 12 was published at page=2") == "lesson 12 was published at page=2"


def test_an_e_mail_address_is_hidden() -> None:
    assert hiding.people("ask ada.l+x@school.example, please") == "ask [address], please"
