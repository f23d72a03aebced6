"""Errors that are reported carry no secret; without a DSN nothing is imported or sent."""

import sys

import pytest
from flask import Flask

from lessonadmin import config
from lessonadmin.observability import error_reports
from tests.settings import overridden


def test_nothing_is_sent_without_a_dsn(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sentry_sdk", raising=False)
    error_reports.init_app()
    assert "sentry_sdk" not in sys.modules


def test_secrets_never_leave(app: Flask) -> None:
    settings = config.current()
    event = {
        "message": f"Bearer abc.def and {settings.mux_webhook_secrets[0]}",
        "request": {
            "url": "http://localhost/api/lessons",
            "query_string": "token=secret",
            "cookies": {"session": "s"},
            "data": {"password": "p"},
            "headers": {"Authorization": "Bearer x", "Mux-Signature": "t=1,v1=2", "Accept": "text/html"},
        },
        "user": {"email": "a@b.c"},
        "exception": {"values": [{"value": f"refused {settings.mux_token_secret} for ?token=eyJhbGciOi"}]},
    }
    said = repr(error_reports.scrub(event))
    for secret in (
        settings.mux_webhook_secrets[0],
        settings.mux_token_secret,
        "abc.def",
        "eyJhbGciOi",
        "a@b.c",
    ):
        assert secret not in said
    assert "'password'" not in said
    assert "Mux-Signature': '[hidden]'" in said
    assert "text/html" in said


def test_a_real_client_sends_the_scrubbed_event(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    import sentry_sdk
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.transport import Transport

    sent: list[Envelope] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            sent.append(envelope)

    real = sentry_sdk.init
    monkeypatch.setattr(
        sentry_sdk, "init", lambda **options: real(**options, transport=Kept, default_integrations=False)
    )
    with overridden(sentry_dsn="http://key@127.0.0.1:1/1"):
        error_reports.init_app()
        try:
            sentry_sdk.capture_message(f"it broke near {config.current().mux_token_secret}")
            sentry_sdk.flush()
        finally:
            sentry_sdk.get_client().close()
            real(dsn=None, default_integrations=False)
    (envelope,) = sent
    body = envelope.serialize().decode()
    assert "it broke near [secret]" in body
