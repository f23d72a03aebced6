"""Whom to tell of a security hole, as RFC 9116 writes it."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from lessonadmin import config
from tests.settings import environment, overridden

PATH = "/.well-known/security.txt"


def test_anyone_reads_whom_to_tell(client: FlaskClient) -> None:
    with overridden(security_contact="mailto:security@school.example"):
        answer = client.get(PATH)
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    said = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert said["Contact"] == "mailto:security@school.example"
    assert said["Canonical"] == f"{config.current().public_url}{PATH}"
    left = datetime.fromisoformat(said["Expires"]) - datetime.now(UTC)
    assert timedelta(days=179) < left < timedelta(days=365)


def test_without_a_contact_there_is_none(client: FlaskClient) -> None:
    assert client.get(PATH).status_code == 404


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("security@school.example", "mailto:security@school.example"),
        ("mailto:security@school.example", "mailto:security@school.example"),
        ("https://school.example/security", "https://school.example/security"),
    ],
)
def test_an_address_becomes_a_link(given: str, read: str) -> None:
    wanted = environment(
        database_url="postgresql://u@h/db", redis_url="redis://h:1/0", SECURITY_CONTACT=given
    )
    assert config.load(wanted).security_contact == read


@pytest.mark.parametrize("wrong", ["http://school.example", "somebody", "a b@c.example", "x@y\nContact: z@y"])
def test_anything_else_is_refused(wrong: str) -> None:
    wanted = environment(
        database_url="postgresql://u@h/db", redis_url="redis://h:1/0", SECURITY_CONTACT=wrong
    )
    with pytest.raises(config.SettingsError, match="SECURITY_CONTACT"):
        config.load(wanted)
