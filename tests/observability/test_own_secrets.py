"""The secrets of the settings stand in no text that leaves, whatever stands around them."""

import json
import logging

import pytest
from flask import Flask

from lessonadmin import config
from lessonadmin.observability import error_reports, logs, own_secrets
from lessonadmin.security import hiding
from tests.settings import environment

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
SECRETS = {
    "SECRET_KEY": "planted-secret-key-as-long-as-it-has-to-be",
    "SECRET_KEY_FALLBACKS": "planted-key-of-yesterday,planted-key-of-before",
    "MUX_TOKEN_SECRET": "planted-web-token",
    "MUX_WORKER_TOKEN_SECRET": "planted-worker-token",
    "MUX_WEBHOOK_SECRETS": "planted-hook-one,planted-hook-two",
    "MUX_SIGNING_KEY_ID": "a-key",
    "MUX_SIGNING_PRIVATE_KEY": PEM,
    "METRICS_TOKEN": "planted-metrics-token",
    "OIDC_ISSUER": "https://login.school.example",
    "OIDC_CLIENT_ID": "lessonadmin",
    "OIDC_CLIENT_SECRET": "planted-client",
    "MAIL_URL": "smtp://user:planted%2Fmail@mail.school.example",
}
DATABASE, REDIS = "postgresql://app:planted-database@db/x", "redis://:planted-redis@cache:6379/0"


@pytest.fixture
def settings() -> config.Settings:
    return config.load(environment(database_url=DATABASE, redis_url=REDIS, **SECRETS))


def test_every_setting_that_holds_a_secret_is_known(settings: config.Settings) -> None:
    known = own_secrets.of(settings)
    listed = [
        one
        for name in SECRETS
        if "OIDC_I" not in name and "_ID" not in name
        for one in SECRETS[name].split(",")
    ]
    wanted = {*listed, "planted-database", "planted-redis", "planted%2Fmail", "planted/mail"} - {
        SECRETS["MAIL_URL"]
    }
    assert wanted <= known
    assert {PEM.splitlines()[1], PEM.replace("\n", "\\n")} <= known, "a key is met line by line too"
    assert not [one for one in known if "school.example" in one or "lessonadmin" in one], (
        "no word of other texts"
    )


def test_a_password_that_is_a_word_of_every_line_is_not_hidden() -> None:
    plain = environment(
        database_url="postgresql://lessonadmin:lessonadmin@db/x", redis_url="redis://:ab@cache/0"
    )
    known = own_secrets.of(config.load(plain))
    assert not {"lessonadmin", "ab"} & known


def test_no_line_and_no_report_has_one(
    settings: config.Settings, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    known = own_secrets.of(settings)
    said = "the server repeats: " + " and ".join(sorted(known))
    monkeypatch.setattr(hiding, "_known", ())
    logs._scrub_short.cache_clear()
    assert "planted-client" in logs.scrub(said), "without them it does not look like a secret"
    hiding.know(known)
    record = logging.LogRecord("x", logging.ERROR, "x", 1, said, None, None)
    try:
        raise RuntimeError(said)
    except RuntimeError as error:
        record.exc_info = (RuntimeError, error, error.__traceback__)
    report = error_reports.scrub({"message": said, "extra": {"said": [said]}})
    for text in (logs.JsonLines().format(record), logs.Readable().format(record), json.dumps(report)):
        assert [one for one in known if one in text] == []
        assert "planted" not in text
        assert "the server repeats" in text
