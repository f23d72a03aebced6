"""Old lessons are healed by what Mux says: every kind of old row, stopped half-way, and run twice."""

import contextlib
import csv
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from devstack.places import ROOT
from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


@pytest.fixture(autouse=True)
def plenty(enough_calls: None) -> None:
    """These tests look a lot; how the budget holds them back is proved elsewhere."""


def run(app: Flask, *arguments: str) -> tuple[int, dict[str, int], str]:
    result = FlaskCliRunner(app).invoke(args=["fix-lessons", "--delay", "0", *arguments])
    db.session.rollback()
    figures = {
        k: int(v) for k, v in re.findall(r"^(processed|updated|skipped|failed): (\d+)$", result.output, re.M)
    }
    assert figures, result.output + repr(result.exception)
    assert figures["processed"] == figures["updated"] + figures["skipped"] + figures["failed"], result.output
    return result.exit_code, figures, result.output


def seeded(mux_sim: MuxSim, **options: Any) -> str:
    return mux_sim.control.seed_assets(1, **options)[0]


def old(asset_id: str | None, **columns: Any) -> Lesson:
    """A lesson as it was before there was tracking."""
    columns = {"video_processing_status": "processing", **columns}
    return make_lesson(mux_asset_id=asset_id, **columns)


def test_a_ready_asset_is_published_with_its_true_ids(mux_sim: MuxSim, app: Flask) -> None:
    asset_id = seeded(mux_sim, upload_id=None)
    lesson = old(asset_id)
    code, figures, _ = run(app)
    now = mux_sim.lesson(lesson)
    assert (code, figures) == (0, {"processed": 1, "updated": 1, "skipped": 0, "failed": 0})
    assert (now.status, now.video_processing_status, now.mux_asset_id) == ("published", "ready", asset_id)
    assert now.mux_playback_id == mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    (row,) = mux_sim.uploads(lesson)
    assert (row.status, row.mux_asset_id) == ("ready", asset_id)
    assert row.upload_id
    assert mux_sim.actions(lesson.id)[-1] == "lesson.published"


def test_a_second_run_changes_nothing_and_asks_nothing(mux_sim: MuxSim, app: Flask) -> None:
    old(seeded(mux_sim))
    old(seeded(mux_sim, status="errored"))
    old("temp_nobodyknowsthis")
    run(app)
    asked, rows = len(mux_sim.calls()), [(one.status, one.updated_at) for one in db.session.query(Lesson)]
    code, figures, _ = run(app)
    assert (code, figures["updated"], figures["failed"]) == (0, 0, 0)
    assert len(mux_sim.calls()) == asked
    assert [(one.status, one.updated_at) for one in db.session.query(Lesson)] == rows


def test_errored_preparing_and_missing(mux_sim: MuxSim, app: Flask) -> None:
    errored, preparing = old(seeded(mux_sim, status="errored")), old(seeded(mux_sim, status="preparing"))
    gone_id = seeded(mux_sim)
    gone = old(gone_id)
    mux_sim.control.delete_asset_in_dashboard(gone_id)
    code, figures, said = run(app)
    assert (code, figures) == (1, {"processed": 3, "updated": 1, "skipped": 0, "failed": 2})
    assert "missing at Mux" in said
    assert mux_sim.lesson(errored).video_processing_status == "error"
    assert mux_sim.uploads(preparing)[0].next_check_at is not None
    assert mux_sim.lesson(preparing).video_processing_status == "processing"
    now = mux_sim.lesson(gone)
    assert (now.mux_asset_id, now.status, now.video_error_type) == (None, "draft", "deleted_at_mux")


def test_a_temporary_id_is_found_by_its_upload(mux_sim: MuxSim, app: Flask) -> None:
    other = make_lesson()
    ticket = mux_sim.upload(other)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.forget()
    asset_id = mux_sim.control.upload(ticket.upload_id)["asset_id"]
    lesson = old(f"temp_{ticket.upload_id}")
    assert run(app)[1]["updated"] == 1
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_asset_id) == ("published", asset_id)


def test_what_is_ambiguous_is_told_and_never_guessed(mux_sim: MuxSim, app: Flask) -> None:
    lesson = old("temp_x")
    for _ in range(2):
        seeded(mux_sim, passthrough=f'{{"lesson_id":"{lesson.id}"}}')
    code, figures, said = run(app)
    assert (code, figures["skipped"]) == (0, 1)
    assert "ambiguous" in said
    assert mux_sim.lesson(lesson).mux_asset_id == "temp_x"


def test_what_a_person_keeps_as_a_draft_stays_one(mux_sim: MuxSim, app: Flask) -> None:
    kept = old(seeded(mux_sim), publish_on_ready=False)
    healed = old("temp_kept", publish_on_ready=False)
    asset_id = seeded(mux_sim, passthrough=f'{{"lesson_id":"{healed.id}"}}')
    run(app)
    assert mux_sim.lesson(kept).status == "draft"
    now = mux_sim.lesson(healed)
    assert (now.status, now.mux_asset_id) == ("draft", asset_id)


def test_a_dry_run_changes_nothing(mux_sim: MuxSim, app: Flask) -> None:
    lesson = old(seeded(mux_sim))
    code, figures, said = run(app, "--dry-run")
    assert (code, figures["updated"]) == (0, 1)
    assert f"{lesson.id} would be updated: published" in said
    assert mux_sim.lesson(lesson).status == "draft"
    assert mux_sim.uploads(lesson) == []


def test_nonsense_in_old_rows_does_no_harm(mux_sim: MuxSim, app: Flask) -> None:
    nonsense = [
        old(text) for text in ("", "   ", "an id with spaces", "temp_", "temp_ ", "../../etc", "x" * 3000)
    ]
    good = old(seeded(mux_sim))
    run(app)
    assert mux_sim.lesson(good).status == "published"
    assert {mux_sim.lesson(one).status for one in nonsense} == {"draft"}


def test_two_lessons_with_one_asset(mux_sim: MuxSim, app: Flask) -> None:
    asset_id = seeded(mux_sim)
    both = [old(asset_id), old(asset_id)]
    assert run(app)[1]["updated"] == 2
    assert {mux_sim.lesson(one).mux_asset_id for one in both} == {asset_id}


def test_a_mux_that_is_away_is_told_and_nothing_changes(mux_sim: MuxSim, app: Flask) -> None:
    lesson = old(seeded(mux_sim))
    mux_sim.control.fault("api", "status", status=500)
    code, figures, said = run(app)
    assert (code, figures["failed"]) == (1, 1)
    assert "could not be asked" in said
    assert mux_sim.lesson(lesson).video_processing_status == "processing"
    mux_sim.control.clear_faults()
    assert run(app)[1]["updated"] == 1


def test_a_stopped_run_goes_on_where_it_was(
    mux_sim: MuxSim, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lessonadmin.cli import fix_lessons

    lessons = [old(seeded(mux_sim)) for _ in range(7)]
    pauses: list[float] = []

    def killed(seconds: float) -> None:
        pauses.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(fix_lessons.time, "sleep", killed)
    result = FlaskCliRunner(app).invoke(args=["fix-lessons", "--batch-size", "3", "--delay", "0.5"])
    assert "goes on from here" in result.output
    assert pauses == [0.5]
    assert sum(mux_sim.lesson(one).status == "published" for one in lessons) == 3
    monkeypatch.undo()
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    assert run(app)[1] == {"processed": 4, "updated": 4, "skipped": 0, "failed": 0}


@pytest.mark.parametrize("asset_id", ["{real}", "temp_by_name", "temp_{upload}"])
def test_mux_is_not_asked_in_its_pause_and_the_rest_is_left_for_the_next_run(
    mux_sim: MuxSim, app: Flask, monkeypatch: pytest.MonkeyPatch, asset_id: str
) -> None:
    lesson, other = make_lesson(), old(seeded(mux_sim))
    upload_id = mux_sim.upload(lesson).upload_id
    lesson.mux_asset_id = asset_id.format(real=seeded(mux_sim), upload=upload_id)
    db.session.commit()
    asked = len(mux_sim.calls())
    monkeypatch.setattr(mux_budget, "MAX_WAIT_SECONDS", 0.0)
    mux_budget.take()
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=900))
    code, figures, said = run(app)
    assert (code, figures["processed"], len(mux_sim.calls())) == (1, 0, asked)
    assert f"stopped: {mux_budget.CLOSED}" in said
    assert f"left for the next run: {mux_budget.CLOSED}: 2" in said
    db.session.execute(text("UPDATE mux_budget SET paused_until = NULL"))
    db.session.commit()
    assert run(app)[1]["processed"] == 2
    assert mux_sim.lesson(other).status == "published"


def test_lessons_that_are_well_are_not_touched(mux_sim: MuxSim, app: Flask) -> None:
    make_playing_lesson()
    make_lesson()
    watched = old("watchedasset")
    make_tracking(watched, status="processing", mux_asset_id="watchedasset")
    code, figures, said = run(app)
    assert (code, figures) == (0, {"processed": 2, "updated": 0, "skipped": 2, "failed": 0})
    assert "no video: 1" in said
    assert "watched already: 1" in said
    assert mux_sim.calls() == []


def test_the_report_is_safe_in_a_spreadsheet(mux_sim: MuxSim, app: Flask, tmp_path: Path) -> None:
    formula = old(seeded(mux_sim), title='=HYPERLINK("http://evil")')
    ticket = mux_sim.upload(make_lesson())
    waiting = old(f"temp_{ticket.upload_id}", title="Harmony 1")
    run(app, "--report", str(tmp_path / "report.csv"))
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as file:
        heading, *lines = csv.reader(file)
    assert heading == ["kind", "id", "title", "result", "reason", "remark"]
    cells = {line[1]: line[2:] for line in lines}
    assert cells[str(formula.id)][0] == '\'=HYPERLINK("http://evil")'
    assert cells[str(waiting.id)] == ["Harmony 1", "skipped", "upload not finished", ""]


def test_on_a_terminal_a_bar_shows_how_far_it_is(
    mux_sim: MuxSim, settings_environment: dict[str, str]
) -> None:
    lessons = [old(seeded(mux_sim)) for _ in range(3)]
    old("temp_nobodyknowsthis")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "fix-lessons", "--delay", "0"],
        cwd=ROOT,
        env={**os.environ, **settings_environment, "MUX_API_URL": mux_sim.url},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert process.wait(20) == 1
    assert b"100%" in said
    assert b"missing at Mux" in said
    assert str(lessons[0].id).encode() not in said  # what went well is in the figures
    assert b"processed: 4" in said
