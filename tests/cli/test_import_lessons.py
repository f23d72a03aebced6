"""`flask import-lessons`: what is printed and reported, with which exit code, and that the same file twice makes nothing twice."""

import contextlib
import csv
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from devstack.places import ROOT
from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.lessons import lesson_import
from lessonadmin.domain.models import AuditLog, Course, Lesson, Notification, Tracking, User
from tests.factories import make_user
from tests.mux_sim import MuxSim

SUMMARY = re.compile(r"processed: (\d+)\nupdated: (\d+)\nskipped: (\d+)\nfailed: (\d+)\n$")
HEAD = ("title", "description", "price", "teacher", "course", "asset id", "status")


@pytest.fixture(autouse=True)
def plenty(enough_calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_import, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def instructor(app: Flask) -> User:
    return make_user(email="tina@school.example")


Import = Callable[..., tuple[int, tuple[int, ...], str]]


@pytest.fixture
def run(app: Flask, session: object, tmp_path: Path) -> Import:
    """Import these lines (or this text, or these bytes); exit code, the four figures, everything that was said."""

    def run_(content: Any, *options: str) -> tuple[int, tuple[int, ...], str]:
        path = tmp_path / "lessons.csv"
        if isinstance(content, list):
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([HEAD, *content])
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        db.session.rollback()
        db.session.expunge_all()
        result = FlaskCliRunner(app).invoke(args=["import-lessons", str(path), *options])
        db.session.rollback()
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        found = SUMMARY.search(result.output)
        return result.exit_code, tuple(map(int, found.groups())) if found else (), result.output

    return run_


def ready(mux_sim: MuxSim, **options: Any) -> tuple[str, str]:
    asset_id = mux_sim.control.seed_assets(1, **options)[0]
    return asset_id, mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]


def line(title: str = "Fugue", asset_id: str = "", **more: str) -> list[str]:
    cells = {
        "description": "",
        "price": "",
        "teacher": "tina@school.example",
        "course": "",
        "status": "",
        **more,
    }
    return [
        title,
        cells["description"],
        cells["price"],
        cells["teacher"],
        cells["course"],
        asset_id,
        cells["status"],
    ]


def only(title: str = "Fugue") -> Lesson:
    return db.session.scalars(select(Lesson).where(Lesson.title == title)).one()


def count(model: Any) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_a_published_lesson_with_its_video_and_its_course(
    mux_sim: MuxSim, instructor: User, run: Import
) -> None:
    asset_id, playback_id = ready(mux_sim)
    wanted = line("Fugue", asset_id, description="In C", price="9.99", course="Bach", status="published")
    code, figures, said = run([wanted])
    assert (code, figures) == (0, (1, 1, 0, 0)), said
    lesson = only()
    assert (lesson.status, lesson.price_cents, lesson.description) == ("published", 999, "In C")
    assert (lesson.mux_asset_id, lesson.mux_playback_id) == (asset_id, playback_id)
    assert (lesson.video_processing_status, lesson.creator_id) == ("ready", instructor.id)
    assert permissions.visible_to_students(lesson)
    course = db.session.get_one(Course, lesson.course_id)
    assert (course.title, course.instructor_id) == ("Bach", instructor.id)
    assert [row.status for row in mux_sim.uploads(lesson)] == ["ready"]
    rows = db.session.execute(
        select(AuditLog.actor_type, AuditLog.action).order_by(AuditLog.at, AuditLog.id)
    ).all()
    assert {by for by, _ in rows} == {"cli"}
    assert {"course.created", "lesson.created", "video.ready", "lesson.published"} <= {
        what for _, what in rows
    }
    assert count(Notification) == 0, "an import would bury people in notices"


def test_the_same_file_twice_makes_nothing_twice(mux_sim: MuxSim, instructor: User, run: Import) -> None:
    assets = [ready(mux_sim)[0] for _ in range(2)]
    lines = [
        line("One", assets[0], course="Bach", status="published"),
        line("Two", assets[1], course="Bach"),
        line("Without a video", course="Bach"),
        line("Without a course"),
    ]
    assert run(lines)[1] == (4, 4, 0, 0)
    before = (count(Lesson), count(Course), count(Tracking), count(AuditLog))
    lesson = only("One")
    lesson.price_cents = 500  # the instructor changed it since: that stands
    db.session.commit()
    code, figures, said = run(lines)
    assert (code, figures) == (0, (4, 0, 4, 0))
    assert "there already" in said
    assert (count(Lesson), count(Course), count(Tracking), count(AuditLog)) == before
    assert only("One").price_cents == 500


def test_one_line_fails_and_the_others_go_on(mux_sim: MuxSim, instructor: User, run: Import) -> None:
    gone, good = ready(mux_sim)[0], ready(mux_sim)[0]
    mux_sim.control.delete_asset_in_dashboard(gone)
    code, figures, said = run(
        [line("Unknown", teacher="nobody@school.example"), line("Gone", gone), line("Good", good)]
    )
    assert (code, figures) == (1, (3, 1, 0, 2)), said
    assert "line 2: failed: no account has this e-mail address" in said
    assert "line 3: failed: Mux has no such asset" in said
    assert [lesson.title for lesson in db.session.scalars(select(Lesson))] == ["Good"]


def test_a_dry_run_asks_mux_and_makes_nothing(mux_sim: MuxSim, instructor: User, run: Import) -> None:
    asset_id, _ = ready(mux_sim)
    code, figures, said = run([line("Fugue", asset_id, course="Bach"), line("Bad", "A" * 30)], "--dry-run")
    assert (code, figures) == (1, (2, 1, 0, 1))
    assert "would be updated: made, a draft" in said
    assert (count(Lesson), count(Course), count(AuditLog)) == (0, 0, 0)
    assert len(mux_sim.calls("get_asset")) == 2


def test_mux_goes_away_in_the_middle(mux_sim: MuxSim, instructor: User, run: Import) -> None:
    lines = [line(f"Lesson {n}", ready(mux_sim)[0], course="Bach") for n in range(4)]
    mux_sim.control.fault("api", "status", status=500, skip=2)
    code, figures, said = run(lines)
    assert (code, figures) == (1, (2, 2, 0, 0)), said
    assert "stopped after line 3" in said
    assert "goes on from there" in said
    assert (count(Lesson), count(Tracking)) == (2, 2)
    mux_sim.control.clear_faults()
    assert run(lines)[1] == (4, 2, 2, 0)


def test_wrong_lines_are_all_told_and_nothing_is_imported(
    mux_sim: MuxSim, instructor: User, run: Import
) -> None:
    good = ready(mux_sim)[0]
    code, figures, said = run([line("Good", good), line("Price", price="dear"), line("Again", good)])
    assert (code, figures) == (1, (3, 0, 1, 2)), said
    assert "line 3: Enter the price" in said
    assert f"line 4: The asset {good} stands in line 2 already." in said
    assert "Nothing was imported" in said
    assert count(Lesson) == 0
    assert mux_sim.calls() == []


def test_an_encoding_is_taken_from_the_command_line(instructor: User, run: Import) -> None:
    content = "title,teacher\nÜbung,tina@school.example\n".encode("cp1252")
    code, figures, said = run(content)
    assert (code, figures) == (1, ())
    assert "--encoding" in said
    assert "Traceback" not in said
    assert run(content, "--encoding", "cp1252")[0] == 0
    assert only("Übung")
    assert run(content, "--encoding", "klingon")[0] == 2


def test_a_heading_and_nothing_else(run: Import) -> None:
    assert run("title,teacher\n\n")[:2] == (0, (0, 0, 0, 0))


def test_the_report_has_every_line_and_is_safe_in_a_spreadsheet(
    mux_sim: MuxSim, instructor: User, run: Import, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    run([line("=HYPERLINK(1)"), line("Unknown", teacher="nobody@school.example")], "--report", str(report))
    with report.open(newline="", encoding="utf-8") as file:
        heading, first, second = csv.reader(file)
    assert heading == ["line", "title", "teacher", "asset_id", "result", "reason", "lesson"]
    made = only("=HYPERLINK(1)")
    assert first[:2] == ["2", "'=HYPERLINK(1)"]
    assert (first[4], first[6]) == ("updated", str(made.id))
    assert second[4:] == ["failed", "no account has this e-mail address", ""]
    assert "overwrite" in run([line()], "--report", str(tmp_path / "lessons.csv"))[2]


def test_on_a_terminal_a_bar_shows_how_far_it_is(
    mux_sim: MuxSim, instructor: User, tmp_path: Path, settings_environment: dict[str, str]
) -> None:
    path = tmp_path / "lessons.csv"
    path.write_text("title,teacher\nOne,tina@school.example\nTwo,nobody@school.example\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "import-lessons", str(path)],
        cwd=ROOT,
        env={**os.environ, **settings_environment, "MUX_API_URL": mux_sim.url},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert process.wait(20) == 1
    assert b"100%" in said
    assert b"line 3: failed: no account has this e-mail address" in said
    assert b"line 2" not in said  # what went well is in the figures
    assert b"processed: 2" in said
