"""Doctor: PUBLIC_URL, the disk and demo accounts in a real school are looked at."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from flask import Flask

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext
from lessonadmin.domain.models import LessonFile
from tests import file_store as stand_in
from tests.factories import keep, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


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


@pytest.mark.enable_socket
def test_the_file_store(app: Flask) -> None:
    def levels() -> list[str]:
        return [line.level for line in host_checks.file_store(DoctorContext(db.engine, config.current()))]

    with app.app_context():
        assert levels() == ["ok"]
        with stand_in.file_store() as store:
            assert levels() == ["ok"]
            store.fails = 503
            assert levels() == ["FAIL"]
            store.fails = None
            columns = {"name": "plan.pdf", "size": 3, "finished_at": datetime.now(UTC) - timedelta(hours=2)}
            keep(LessonFile(lesson_id=make_lesson().id, **columns))
            assert levels() == ["warn"]
