"""The doctor: each part broken in turn is found, said, and comes with what to do; nothing hangs and no secret shows."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from sqlalchemy import create_engine, text

from lessonadmin import config, mux
from lessonadmin.db import db
from lessonadmin.domain import heartbeats, hourly_statistics
from lessonadmin.domain.health.doctor import all_checks, host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line
from muxsim.options import ENVIRONMENT, Token
from muxsim.server import Simulator
from muxsim.webhooks.events import environment_id
from tests.factories import make_event, make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden

OURS = environment_id(ENVIRONMENT)


@pytest.fixture
def well(mux_sim: MuxSim) -> MuxSim:
    """An installation where everything is as it should be."""
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    make_event(
        secret_hint=mux.hint("test-webhook-secret"),
        outcome="applied",
        occurred_at=datetime.now(UTC) - timedelta(seconds=1),
        environment_id=OURS,
    )
    return mux_sim


def examined(seconds: float = 10) -> dict[str, Line]:
    lines = all_checks.examine(seconds=seconds)
    assert all(line.todo for line in lines if line.level != "ok"), lines
    assert all(not line.todo for line in lines if line.level == "ok")
    return {line.name: line for line in lines}


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
        "token of the web",
        "token of the workers",
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


# The machine room


def test_the_schema_is_behind(well: MuxSim) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    try:
        line = examined()["migrations"]
    finally:
        db.session.execute(
            text("UPDATE alembic_version SET version_num = :head"), {"head": heartbeats.expected_revision()}
        )
        db.session.commit()
    assert line.level == "FAIL"
    assert "db upgrade" in line.todo


def test_the_database_is_away(well: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(all_checks, "DoctorContext", lambda _engine, settings: DoctorContext(away, settings))
    lines = examined()
    assert lines["database"].level == "FAIL"
    assert "DATABASE_URL" in lines["database"].todo
    assert lines["Redis"].level == "ok"
    assert lines["token of the web"].level == "ok"
    away.dispose()


def test_redis_is_away(well: MuxSim) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        line = examined()["Redis"]
    assert line.level == "FAIL"
    assert "REDIS_URL" in line.todo


@pytest.mark.parametrize(("prefix", "name"), [("worker:", "workers"), ("clock", "clock")])
def test_a_heart_stopped(well: MuxSim, prefix: str, name: str) -> None:
    db.session.execute(
        text("UPDATE heartbeats SET at = now() - interval '5 minutes' WHERE starts_with(name, :prefix)"),
        {"prefix": prefix},
    )
    db.session.commit()
    line = examined()[name]
    assert (line.level, "5 minutes ago" in line.says) == ("FAIL", True)
    assert "flask --app app" in line.todo
    db.session.execute(text("DELETE FROM heartbeats"))
    db.session.commit()
    assert "never" in examined()[name].says or "None was ever seen" in examined()[name].says


def test_work_that_waits(well: MuxSim) -> None:
    make_event(outcome="failed")
    lesson = make_lesson()
    well.upload(lesson)
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = now() - interval '1 day', next_check_at = now() - interval '1 hour'"
        )
    )
    db.session.execute(
        text("INSERT INTO asset_deletions (mux_asset_id, last_error) VALUES ('a', 'server_error: x')")
    )
    db.session.commit()
    lines = examined()
    names = ("failed events", "deletions", "overdue looks", "stuck videos")
    assert {name: lines[name].level for name in names} == dict.fromkeys(names, "warn")
    assert lines["stuck videos"].says.startswith("1 ")


# Webhooks


def test_no_webhook_has_come(mux_sim: MuxSim) -> None:
    assert examined()["last webhook"].level == "warn"
    mux_sim.uploaded(make_lesson())
    db.session.execute(text("UPDATE mux_asset_tracking SET asset_seen_at = now()"))
    db.session.commit()
    line = examined()["last webhook"]
    assert line.level == "FAIL"
    assert "http://localhost/api/webhooks/mux" in line.todo


def test_webhooks_stopped_while_videos_became_ready(well: MuxSim) -> None:
    db.session.execute(text("UPDATE mux_events SET received_at = now() - interval '3 hours'"))
    db.session.commit()
    assert examined()["last webhook"].level == "ok"  # silence is none while nothing happens
    make_playing_lesson()
    db.session.execute(text("UPDATE mux_asset_tracking SET ready_found_by = 'sweep'"))
    db.session.commit()
    assert examined()["last webhook"].level == "FAIL"


def test_late_webhooks(well: MuxSim) -> None:
    db.session.execute(text("UPDATE mux_events SET occurred_at = received_at - interval '10 minutes'"))
    db.session.commit()
    assert examined()["webhook delay"].level == "warn"


def test_events_of_two_environments(well: MuxSim) -> None:
    make_event(environment_id="env2", outcome="ignored")
    line = examined()["environment"]
    assert (line.level, "2 Mux environments" in line.says) == ("warn", True)


def test_which_secret_was_used_last(well: MuxSim) -> None:
    with overridden(mux_webhook_secrets=("new-secret", "test-webhook-secret")):
        line = examined()["webhook secrets"]
        assert line.level == "ok"
        assert "Secret 2 of 2" in line.says
        assert "Secret 1 signed none" in line.says
        make_event(secret_hint=mux.hint("new-secret"), outcome="ignored")
        assert "Secret 1 of 2" in examined()["webhook secrets"].says
    with overridden(mux_webhook_secrets=("another",)):
        line = examined()["webhook secrets"]
    assert (line.level, "not configured any more" in line.says) == ("warn", True)


def test_refused_webhooks_are_told(well: MuxSim) -> None:
    hourly_statistics.add("rejected", "mismatch", 7)
    db.session.commit()
    line = examined()["refused webhooks"]
    assert line.level == "warn"
    assert "mismatch 7" in line.says


# Mux


@pytest.mark.parametrize(
    ("setting", "name"),
    [("mux_token_secret", "token of the web"), ("mux_worker_token_secret", "token of the workers")],
)
def test_a_wrong_token(well: MuxSim, setting: str, name: str) -> None:
    with overridden(**{setting: "wrong"}):
        lines = examined()
    assert lines[name].level == "FAIL"
    assert sum(line.level == "FAIL" for line in lines.values()) == 1


def test_one_token_for_both(well: MuxSim) -> None:
    with overridden(mux_worker_token_id="web-token", mux_worker_token_secret="web-secret"):
        line = examined()["token of the workers"]
    assert (line.level, "low-priority" in line.todo) == ("warn", True)


def test_mux_is_away(well: MuxSim) -> None:
    with overridden(mux_api_url="http://127.0.0.1:1"):
        line = examined()["token of the web"]
    assert (line.level, "could not be reached" in line.says) == ("FAIL", True)


TOGETHER = "tokens' environment"


def test_mux_says_whose_the_tokens_are_and_what_they_may_do(well: MuxSim) -> None:
    lines = examined()
    assert lines[TOGETHER].says == (
        f"Both tokens are of the Mux environment “{ENVIRONMENT}” ({OURS}), where our events come from."
    )
    for name in ("token of the web", "token of the workers"):
        assert lines[name].says.startswith("It may read and write videos; "), lines[name]


@pytest.mark.parametrize(
    ("token", "name"), [("web-token", "token of the web"), ("worker-token", "token of the workers")]
)
def test_a_missing_permission_is_named_with_what_it_is_for(well: MuxSim, token: str, name: str) -> None:
    well.control.set_permissions(token, ["video:read", "system:read", "data:read"])
    line = examined()[name]
    assert (line.level, line.says) == (
        "FAIL",
        "It lacks a permission: video:write (to make uploads and to delete videos).",
    )
    well.control.set_permissions(token, ["video:read", "video:write"])
    line = examined()[name]
    assert line.level == "ok"
    assert "without system:read (to ask whether Mux knows the signing key)" in line.says
    assert "data:read (to read figures of Mux Data)" in line.says


def test_the_webhooks_come_from_another_environment_than_the_tokens(well: MuxSim) -> None:
    make_event(environment_id="elsewhere", outcome="applied")
    line = examined()[TOGETHER]
    assert (line.level, "the events about our videos come from elsewhere" in line.says) == ("FAIL", True)


def test_events_of_others_say_nothing_of_where_our_videos_are(well: MuxSim) -> None:
    make_event(environment_id="elsewhere", outcome="ignored")
    assert examined()[TOGETHER].level == "ok"


@contextmanager
def another_environment(name: str) -> Iterator[str]:
    """One more Mux, where our tokens are of two environments."""
    tokens = [Token("web-token", "web-secret"), Token("worker-token", "worker-secret", "low", name)]
    with Simulator(tokens=tokens, rate_limits=False) as simulator:
        yield simulator.url


def test_tokens_of_two_environments(well: MuxSim) -> None:
    with another_environment("Production") as url, overridden(mux_api_url=url):
        line = examined()[TOGETHER]
    assert line.level == "FAIL"
    assert f"“{ENVIRONMENT}” ({OURS}), the workers' of “Production”" in line.says


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_mux_does_not_say_it_is_concluded_from_what_the_tokens_see(well: MuxSim, status: int) -> None:
    well.control.fault("api", "status", match={"operation": "whoami"}, status=status)
    line = examined()[TOGETHER]
    assert line.says == (
        "Both tokens see the same videos. Mux does not say whose the tokens are, so this is concluded from the"
        " videos that they see."
    )
    make_playing_lesson()
    lines = examined()
    assert lines[TOGETHER].level == "FAIL"
    assert lines["token of the web"].says.startswith("It may read; ")
    assert lines["clock skew"].level == "ok"


def test_before_the_first_event_the_videos_are_compared(well: MuxSim) -> None:
    db.session.execute(text("DELETE FROM mux_events"))
    db.session.commit()
    make_playing_lesson()
    assert "no event has come yet" in examined()[TOGETHER].says
    assert examined()["tokens' environment"].level == "FAIL"
    well.control.seed_assets(1, policy="public", status="ready")
    assert examined()["tokens' environment"].level == "warn"
    well.uploaded(make_lesson())
    well.deliver()
    assert examined()["tokens' environment"].level == "ok"


def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def test_signing_keys(well: MuxSim) -> None:
    known = well.control.create_signing_key()
    good = {"mux_signing_key_id": known["id"], "mux_signing_private_key": known["private_key"]}
    with overridden(**good):
        assert "Mux knows it" in examined()["signing keys"].says
    with overridden(**(good | {"mux_signing_key_id": "unknown", "mux_signing_private_key": pem()})):
        assert examined()["signing keys"].level == "FAIL"
    with overridden(**(good | {"mux_signing_private_key": "no key"})):
        assert examined()["signing keys"].level == "FAIL"
    well.control.set_switch("system_permission", False)
    with overridden(**good):
        line = examined()["signing keys"]
    assert (line.level, "System permission" in line.says) == ("ok", True)


def test_selling_what_anybody_can_watch(well: MuxSim) -> None:
    for _ in range(2):
        make_playing_lesson(price_cents=900)
    make_playing_lesson()
    make_playing_lesson(price_cents=900, playback_policy="signed")
    make_playing_lesson(price_cents=900, status="draft", published_at=None)
    line = examined()["signing keys"]
    assert (line.level, "2 lessons that cost something play by a public id" in line.says) == ("warn", True)
    assert "reconcile" in line.todo
    known = well.control.create_signing_key()
    with overridden(mux_signing_key_id=known["id"], mux_signing_private_key=known["private_key"]):
        lines = examined()
    assert lines["signing keys"].level == "ok"
    assert (lines["paid lessons"].level, "2 lessons" in lines["paid lessons"].says) == ("warn", True)


# Around


@pytest.mark.parametrize(
    ("public_url", "mux_url", "level"),
    [
        ("https://lessons.example.org", "https://api.mux.com", "ok"),
        ("http://lessons.example.org", "https://api.mux.com", "warn"),
        ("https://lessons.example.org/app", "https://api.mux.com", "FAIL"),
        ("http://localhost:8000", "https://api.mux.com", "warn"),
        ("http://192.168.1.4:8000", "https://api.mux.com", "warn"),
        ("http://localhost:8000", "http://127.0.0.1:9", "ok"),
    ],
)
def test_public_url(app: Flask, public_url: str, mux_url: str, level: str) -> None:
    with overridden(public_url=public_url, mux_api_url=mux_url) as settings, app.app_context():
        (line,) = host_checks.public_url(DoctorContext(db.engine, settings))
    assert line.level == level


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "level"), [(100, "FAIL"), (500 * 1024**2, "warn"), (50 * 1024**3, "ok")])
def test_disk(app: Flask, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: Usage(100 * 1024**3, 0, free))
    with app.app_context():
        lines = host_checks.disk(DoctorContext(db.engine, config.current()))
    assert [line.level for line in lines] == [level]


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


# The command


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
    (index,) = [
        n for n, line in enumerate(result.output.splitlines()) if line.startswith("FAIL  token of the web")
    ]
    assert result.output.splitlines()[index + 1].strip().startswith("-> Correct MUX_TOKEN_ID")


@pytest.mark.parametrize(
    ("settings", "email", "active", "level"),
    [
        ({"public_url": "https://lessons.school.example"}, "Admin@Demo.example", True, "FAIL"),
        ({"mux_api_url": "https://api.mux.com"}, "admin@demo.example", True, "FAIL"),
        ({"mux_api_url": "https://api.mux.com"}, "admin@demo.example", False, "ok"),
        ({"mux_api_url": "https://api.mux.com"}, "admin@school-demo.example", True, "ok"),
        ({}, "admin@demo.example", True, "ok"),
    ],
)
def test_demo_accounts_in_a_real_school(
    mux_sim: MuxSim, settings: dict[str, str], email: str, active: bool, level: str
) -> None:
    make_user(email=email, active=active)
    with overridden(**settings):
        (line,) = host_checks.demo(DoctorContext(db.engine, config.current()))
    assert line.level == level
    assert (level == "FAIL") == line.says.startswith("Demo accounts are active")
