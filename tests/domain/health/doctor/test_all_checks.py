"""The doctor: each part broken in turn is found, said, and comes with what to do; nothing hangs and no secret shows."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from lessonadmin import config
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line
from tests.doctor import examined
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_all_is_well(well: MuxSim) -> None:
    lines = examined()
    assert {line.level for line in lines.values()} == {"ok"}, lines
    assert all_checks.healthy(list(lines.values()))
    assert {
        "database",
        "migrations",
        "database clock",
        "Redis",
        "workers",
        "clock",
        "last webhook",
        "webhook delay",
        "webhook secrets",
        "environment",
        "web token",
        "worker token",
        "clock skew",
        "signing keys",
        "PUBLIC_URL",
        "disk",
    } <= set(lines)


def test_no_secret_is_shown(well: MuxSim) -> None:
    said = str(all_checks.examine())
    settings = config.current()
    for secret in (
        settings.mux_token_secret,
        settings.mux_worker_token_secret,
        settings.secret_key,
        *settings.mux_webhook_secrets,
        settings.database_url,
    ):
        assert secret not in said


def test_it_changes_nothing_at_mux_and_asks_little(well: MuxSim) -> None:
    examined()
    calls = well.calls()
    assert {call["method"] for call in calls} == {"GET"}
    assert len(calls) <= 3


@contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for one in taken:
                one.close()


def test_what_hangs_costs_no_more_than_the_deadline(well: MuxSim) -> None:
    with silent_server() as port:
        url = f"redis://127.0.0.1:{port}/0"
        began = time.monotonic()
        with overridden(mux_api_url=f"http://127.0.0.1:{port}", redis_url=url):
            lines = examined(seconds=1.5)
        assert time.monotonic() - began < 3
    assert lines["Mux"].level == "FAIL"
    assert "1.5 seconds" in lines["Mux"].says
    assert lines["Redis"].level == "FAIL"
    assert lines["database"].level == "ok"


def test_a_check_that_breaks_harms_no_other(well: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_context: DoctorContext) -> list[Line]:
        raise LookupError("planted")

    monkeypatch.setitem(all_checks.CHECKS, "disk", broken)
    lines = examined()
    assert (lines["disk"].level, "LookupError: planted" in lines["disk"].says) == ("FAIL", True)
    assert lines["Redis"].level == "ok"


def run(app: Flask) -> Any:
    return app.test_cli_runner().invoke(args=["doctor"])


def test_the_command_ends_well_or_badly(well: MuxSim, app: Flask) -> None:
    result = run(app)
    assert result.exit_code == 0, result.output
    assert "ok    database: PostgreSQL" in result.output
    assert result.output.splitlines()[-1].endswith("0 FAIL")
    with overridden(mux_token_secret="wrong"):
        result = run(app)
    assert result.exit_code == 1
    (index,) = [n for n, line in enumerate(result.output.splitlines()) if line.startswith("FAIL  web token")]
    assert result.output.splitlines()[index + 1].strip().startswith("-> Correct MUX_TOKEN_ID")
