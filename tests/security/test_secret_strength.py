"""Weak secrets stop the start where the internet can reach the school, and are never quoted."""

from collections.abc import Iterator

import pytest
from flask import Flask

from lessonadmin import config
from lessonadmin.security import secret_strength
from tests.settings import overridden

LONG = "f" * 40
STRONG = {
    "public_url": "https://school.example",
    "mux_api_url": "http://127.0.0.1:1",
    "secret_key": LONG,
    "mux_webhook_secrets": (LONG,),
    "mux_token_id": "web",
    "mux_token_secret": LONG,
    "mux_worker_token_id": "worker",
    "mux_worker_token_secret": LONG,
}


@pytest.fixture(autouse=True)
def _settings(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def complaint(**changes: object) -> str | None:
    with overridden(**STRONG | changes):
        return secret_strength.complaint(config.current())


def test_strong_secrets_start() -> None:
    assert complaint() is None


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("secret_key", "short-key", "SECRET_KEY"),
        ("mux_webhook_secrets", (LONG, "short"), "MUX_WEBHOOK_SECRETS"),
        ("mux_token_secret", "muxsim-high-secret", "MUX_TOKEN_SECRET"),
    ],
)
def test_a_weak_secret_is_named_and_not_quoted(setting: str, value: object, name: str) -> None:
    said = complaint(**{setting: value})
    assert said is not None
    assert name in said
    assert "short-key" not in said
    assert "muxsim-high-secret" not in said


def test_a_simulator_on_plain_http_takes_anything() -> None:
    assert complaint(public_url="http://localhost", secret_key="short-key") is None
