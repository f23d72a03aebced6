"""`flask import-lessons`: a file is checked as a whole, each asset asked for at Mux, and the same file twice makes nothing twice."""

import codecs
import contextlib
import csv
import os
import pty
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from devstack.places import ROOT
from lessonadmin import config, mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget, permissions
from lessonadmin.domain.lessons import import_file, lesson_import
from lessonadmin.domain.models import AuditLog, Course, Lesson, Notification, Tracking, User
from lessonadmin.text import spreadsheets
from tests.factories import make_course, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden

SUMMARY = re.compile(r"processed: (\d+)\nupdated: (\d+)\nskipped: (\d+)\nfailed: (\d+)\n$")
HEAD = ("title", "description", "price", "teacher", "course", "asset id", "status")


@pytest.fixture(autouse=True)
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    monkeypatch.setattr(lesson_import, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def teacher(app: Flask) -> User:
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


def ready(mux_sim: MuxSim, **wish: Any) -> tuple[str, str]:
    asset_id = mux_sim.control.seed_assets(1, **wish)[0]
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
    mux_sim: MuxSim, teacher: User, run: Import
) -> None:
    asset_id, playback_id = ready(mux_sim)
    wanted = line("Fugue", asset_id, description="In C", price="9.99", course="Bach", status="published")
    code, figures, said = run([wanted])
    assert (code, figures) == (0, (1, 1, 0, 0)), said
    lesson = only()
    assert (lesson.status, lesson.price_cents, lesson.description) == ("published", 999, "In C")
    assert (lesson.mux_asset_id, lesson.mux_playback_id) == (asset_id, playback_id)
    assert (lesson.video_processing_status, lesson.creator_id) == ("ready", teacher.id)
    assert permissions.visible_to_students(lesson)
    course = db.session.get_one(Course, lesson.course_id)
    assert (course.title, course.instructor_id) == ("Bach", teacher.id)
    assert [row.status for row in mux_sim.rows(lesson)] == ["ready"]
    rows = db.session.execute(
        select(AuditLog.actor_type, AuditLog.action).order_by(AuditLog.at, AuditLog.id)
    ).all()
    assert {by for by, _ in rows} == {"cli"}
    assert {"course.created", "lesson.created", "video.ready", "lesson.published"} <= {
        what for _, what in rows
    }
    assert count(Notification) == 0, "an import would bury people in notices"


def test_a_draft_unless_it_says_published(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    asset_id, _ = ready(mux_sim)
    assert run([line("Fugue", asset_id)])[0] == 0
    lesson = only()
    assert (lesson.status, lesson.publish_on_ready, lesson.video_processing_status) == (
        "draft",
        False,
        "ready",
    )


def test_the_same_file_twice_makes_nothing_twice(mux_sim: MuxSim, teacher: User, run: Import) -> None:
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
    lesson.price_cents = 500  # somebody changed it since: that stands
    db.session.commit()
    code, figures, said = run(lines)
    assert (code, figures) == (0, (4, 0, 4, 0))
    assert "there already" in said
    assert (count(Lesson), count(Course), count(Tracking), count(AuditLog)) == before
    assert only("One").price_cents == 500


def test_a_lesson_that_waited_gets_its_video(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    asset_id, playback_id = ready(mux_sim)
    assert run([line("Fugue")])[1] == (1, 1, 0, 0)
    code, figures, said = run([line("Fugue", asset_id, status="published")])
    assert (code, figures) == (0, (1, 1, 0, 0)), said
    lesson = only()
    assert (lesson.status, lesson.mux_playback_id) == ("published", playback_id)


def test_one_line_fails_and_the_others_go_on(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    student = make_user(role="student")
    disabled = make_user(active=False)
    taken, gone, errored = (
        ready(mux_sim)[0],
        ready(mux_sim)[0],
        mux_sim.control.seed_assets(1, status="errored")[0],
    )
    none, good = mux_sim.control.seed_assets(1, policy=None)[0], ready(mux_sim)[0]
    other = make_lesson(mux_asset_id=taken)
    mux_sim.control.delete_asset_in_dashboard(gone)
    code, figures, said = run(
        [
            line("Unknown", teacher="nobody@school.example"),
            line("Student", teacher=student.email),
            line("Disabled", teacher=disabled.email),
            line("Taken", taken),
            line("Gone", gone),
            line("Errored", errored),
            line("Unplayable", none),
            line("Good", good),
        ]
    )
    assert (code, figures) == (1, (8, 1, 0, 7)), said
    for words in (
        "line 2: failed: nobody has this e-mail address",
        "line 3: failed: this is a student",
        "line 4: failed: the account of this teacher is disabled",
        f"line 5: failed: the asset is used by the lesson {other.id}",
        "line 6: failed: Mux has no such asset",
        "line 7: failed: the asset failed at Mux",
        "line 8: failed: the asset has no playback id",
    ):
        assert words in said
    assert {lesson.title for lesson in db.session.scalars(select(Lesson))} == {other.title, "Good"}


def test_the_playback_id_is_chosen_by_policy(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    asset_id, public_id = ready(mux_sim)
    signed_id = mux.create_playback_id(asset_id, policy="signed", priority="high").id
    only_signed = ready(mux_sim, policy="signed")[0]
    code, figures, said = run([line("Both", asset_id), line("Signed", only_signed)])
    assert (code, figures) == (1, (2, 1, 0, 1))
    assert "no signing key is set" in said
    assert only("Both").mux_playback_id == public_id
    db.session.delete(only("Both"))
    db.session.commit()
    with overridden(mux_signing_key_id="k", mux_signing_private_key="k"):
        assert config.current().playback_policy == "signed"
        assert run([line("Both", asset_id)])[0] == 0
    assert (only("Both").mux_playback_id, only("Both").playback_policy) == (signed_id, "signed")


def test_a_video_that_mux_still_prepares_publishes_its_lesson_later(
    mux_sim: MuxSim, teacher: User, run: Import
) -> None:
    made = mux_sim.control.seed_assets(1, status="preparing")[0]
    code, _, said = run([line("Fugue", made, status="published")])
    assert code == 0, said
    assert "still prepares" in said
    lesson = only()
    assert (lesson.status, lesson.publish_on_ready, lesson.video_processing_status) == (
        "draft",
        True,
        "processing",
    )
    mux_sim.control.set_asset_ready(made)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published"


def test_a_dry_run_asks_mux_and_makes_nothing(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    asset_id, _ = ready(mux_sim)
    code, figures, said = run([line("Fugue", asset_id, course="Bach"), line("Bad", "A" * 30)], "--dry-run")
    assert (code, figures) == (1, (2, 1, 0, 1))
    assert "would be updated: made, a draft" in said
    assert (count(Lesson), count(Course), count(AuditLog)) == (0, 0, 0)
    assert len(mux_sim.calls("get_asset")) == 2


def test_mux_goes_away_in_the_middle(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    lines = [line(f"Lesson {n}", ready(mux_sim)[0], course="Bach") for n in range(4)]
    mux_sim.control.fault("api", "status", status=500, skip=2)
    code, figures, said = run(lines)
    assert (code, figures) == (1, (2, 2, 0, 0)), said
    assert "stopped after line 3" in said
    assert "goes on from there" in said
    assert (count(Lesson), count(Tracking)) == (2, 2)
    mux_sim.control.clear_faults()
    assert run(lines)[1] == (4, 2, 2, 0)


def test_a_hiccup_of_mux_is_tried_again(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    asset_id, _ = ready(mux_sim)
    mux_sim.control.fault("api", "status", status=503, times=1)
    assert run([line("Fugue", asset_id)])[:2] == (0, (1, 1, 0, 0))


def test_wrong_lines_are_all_told_and_nothing_is_imported(
    mux_sim: MuxSim, teacher: User, run: Import
) -> None:
    good = ready(mux_sim)[0]
    code, figures, said = run(
        [
            line("Good", good),
            line(""),
            line("Price", price="dear"),
            line("Price", price="-1"),
            line("Status", status="maybe"),
            line("Nobody", teacher=""),
            line("Temporary", "temp_asset_1"),
            line("Not an id", "../../etc/passwd"),
            line("Again", good),
            line("x" * 201),
            line("Bell \x07"),
        ]
    )
    assert (code, figures) == (1, (11, 0, 1, 10)), said
    for number in range(3, 13):
        assert f"line {number}: " in said
    assert f"line 10: The asset {good} stands in line 2 already." in said
    assert "Nothing was imported" in said
    assert count(Lesson) == 0
    assert mux_sim.calls() == []


def test_a_line_is_named_by_where_it_begins(teacher: User, run: Import) -> None:
    text = 'title,description,teacher,price\nOne,"two\nlines",tina@school.example,1\n\nTwo,,tina@school.example,dear\n'
    assert "line 5: Enter the price" in run(text)[2]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + "title,teacher\nÜbung,tina@school.example\n".encode(),
        "title;teacher;price\r\nÜbung;tina@school.example;9,99\r\n".encode(),
        "sep=;\r\ntitle;teacher\r\nÜbung;tina@school.example\r\n".encode(),
        "Title\tTeacher's e-mail\nÜbung\ttina@school.example\n".encode("utf-16"),
        '"Lesson title","Instructor e-mail","Mux Asset ID"\r"Übung","TINA@school.example",""\r'.encode(),
    ],
    ids=["byte order mark", "semicolons", "sep line", "utf-16 and tabs", "old line ends"],
)
def test_files_as_spreadsheets_write_them(teacher: User, run: Import, content: bytes) -> None:
    code, figures, said = run(content)
    assert (code, figures) == (0, (1, 1, 0, 0)), said
    assert only("Übung").creator_id == teacher.id


def test_an_older_encoding_is_named_never_guessed(teacher: User, run: Import) -> None:
    content = "title,teacher\nÜbung,tina@school.example\n".encode("cp1252")
    code, figures, said = run(content)
    assert (code, figures) == (1, ())
    assert "--encoding" in said
    assert run(content, "--encoding", "cp1252")[0] == 0
    assert only("Übung")
    assert run(content, "--encoding", "klingon")[0] == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("title\nx\n", "there is no column “teacher”"),
        ("title,teacher,prise\nx,y,z\n", "no column is called “prise”"),
        ("title,name,teacher\nx,y,z\n", "more than one column means “title”"),
        (
            'title,teacher\n"never closed,tina@school.example\n' + "x,y\n" * 100_000,
            "a quote that is never closed",
        ),
        (b"PK\x03\x04\x00\x00\x08\x00title", "no text"),
    ],
    ids=["nothing", "blank lines", "no teacher", "unknown column", "two titles", "open quote", "no text"],
)
def test_a_file_that_cannot_be_read(
    app: Flask, session: object, run: Import, content: Any, words: str
) -> None:
    code, figures, said = run(content)
    assert (code, figures) == (1, ())
    assert words in said
    assert "Traceback" not in said


def test_a_heading_and_nothing_else(run: Import) -> None:
    assert run("title,teacher\n\n")[:2] == (0, (0, 0, 0, 0))


def test_the_report_has_every_line_and_is_safe_in_a_spreadsheet(
    mux_sim: MuxSim, teacher: User, run: Import, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    run([line("=HYPERLINK(1)"), line("Unknown", teacher="nobody@school.example")], "--report", str(report))
    with report.open(newline="", encoding="utf-8") as file:
        heading, first, second = csv.reader(file)
    assert heading == ["line", "title", "teacher", "asset_id", "result", "reason", "lesson"]
    made = only("=HYPERLINK(1)")
    assert first[:2] == ["2", "'=HYPERLINK(1)"]
    assert (first[4], first[6]) == ("updated", str(made.id))
    assert second[4:] == ["failed", "nobody has this e-mail address", ""]
    assert "overwrite" in run([line()], "--report", str(tmp_path / "lessons.csv"))[2]


@pytest.mark.parametrize("title", ["=1+1", "'=1+1", "a;=1+1", "\uff1d1", "-5", "'quoted'", "a; b, c"])
def test_a_file_that_we_wrote_is_read_as_it_was_meant(teacher: User, run: Import, title: str) -> None:
    written = spreadsheets.line(HEAD) + spreadsheets.line(line(title, description=f"{title}\n- one\n- two"))
    assert run(written)[1] == (1, 1, 0, 0)
    assert only(title).description == f"{title}\n- one\n- two"


def test_a_course_is_the_teachers_own(mux_sim: MuxSim, teacher: User, run: Import) -> None:
    foreign = make_course(title="Bach")
    own = make_course(title="Bach", instructor=teacher)
    assert run([line("One", course="Bach"), line("Two", course="Bach")])[0] == 0
    assert {only("One").course_id, only("Two").course_id} == {own.id}
    assert foreign.id != own.id


def test_a_file_of_any_length_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("title,teacher,asset id\n")
        for number in range(20_000):
            file.write(f"Lesson {number},tina@school.example,A{number:040}\n")
    tracemalloc.start()
    try:
        assert import_file.examine(path, lambda _: pytest.fail("a line is wrong")) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000 * 60, "a number a line is kept, never the lines"


def test_on_a_terminal_a_bar_shows_how_far_it_is(
    mux_sim: MuxSim, teacher: User, tmp_path: Path, settings_environment: dict[str, str]
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
    assert b"line 3: failed: nobody has this e-mail address" in said
    assert b"line 2" not in said  # what went well is in the figures
    assert b"processed: 2" in said
