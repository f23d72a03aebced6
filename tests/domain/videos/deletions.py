"""Deletions for tests: a lesson that plays, its asset given up, and the row that says so."""

from sqlalchemy import func, select, text, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.models import AssetDeletion, Lesson, UploadCancellation
from lessonadmin.domain.videos import removal
from tests.factories import make_lesson
from tests.mux_sim import MuxSim


def playing(mux_sim: MuxSim) -> tuple[Lesson, str]:
    """A published lesson, and the asset that it plays."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    return lesson, mux_sim.lesson(lesson).mux_asset_id or ""


def deletion() -> AssetDeletion:
    """The only deletion that is written down, as it is now."""
    db.session.rollback()
    return db.session.scalars(select(AssetDeletion).execution_options(populate_existing=True)).one()


def due_now() -> None:
    """What is to be done at Mux is due, and there are calls left for it."""
    for model in (AssetDeletion, UploadCancellation):
        db.session.execute(update(model).values(due_at=func.now() - text("interval '1 second'")))
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()


def request_delete(lesson: Lesson, asset_id: str) -> None:
    """Its instructor deletes the video."""
    with transaction(Actor.user(lesson.creator_id)):
        removal.request_delete(asset_id)
