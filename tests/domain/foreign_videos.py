"""Videos that another program wrote into the tables: imported ones, and those with a temporary playback id."""

from typing import Any

from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson
from tests.mux_sim import MuxSim

TEMPORARY = "temp_playback_abc123"


def command(app: Flask, *words: str) -> str:
    """One command, to its end, with a session of its own: what the test holds is let go before that."""
    for row in list(db.session):
        db.session.refresh(row)
    db.session.expunge_all()
    result = FlaskCliRunner(app).invoke(args=list(words))
    db.session.rollback()
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def fix(app: Flask, *words: str) -> str:
    return command(app, "fix-lessons", "--delay", "0", *words)


def asset(mux_sim: MuxSim, **columns: Any) -> tuple[str, str]:
    """One at Mux that no lesson has; it and its playback id."""
    asset_id = mux_sim.control.seed_assets(1, **columns)[0]
    return asset_id, mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]


def on_sale(lesson: Lesson) -> bool:
    return (
        db.session.scalar(select(Lesson.id).where(permissions.on_sale(), Lesson.id == lesson.id)) is not None
    )


def sold(asset_id: str, **columns: Any) -> Lesson:
    """Published by an older program, which said that it plays."""
    state = {"status": "published", "publish_on_ready": False, "video_processing_status": "ready"}
    return make_lesson(**{"mux_asset_id": asset_id, "mux_playback_id": TEMPORARY, **state, **columns})


def made_old() -> None:
    """As if the rows had been written a day ago."""
    for table in ("lessons", "courses", "mux_asset_tracking"):
        db.session.execute(text(f"UPDATE {table} SET updated_at = now() - interval '1 day'"))  # noqa: S608 - the table is named in this test
    db.session.commit()


def is_healed(mux_sim: MuxSim, lesson: Lesson, asset_id: str, playback_id: str) -> None:
    """It is published and plays by the true ids."""
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    assert (now.mux_asset_id, now.mux_playback_id) == (asset_id, playback_id)
    (row,) = [row for row in mux_sim.uploads(lesson) if row.superseded_at is None]
    assert (row.status, row.mux_playback_id) == ("ready", playback_id)
    assert now.is_playable
    assert on_sale(now)
