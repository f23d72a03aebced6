"""Run one bulk action at once and read what became of its items."""

import uuid

from lessonadmin.db import Actor
from lessonadmin.domain.batches import batches, registry, scheduling
from lessonadmin.domain.models import Course, Lesson
from tests.factories import (
    make_user,
)
from tests.mux_sim import MuxSim


def staff(reason: str = "asked by phone") -> Actor:
    return Actor.user(make_user(role="support").id, reason=reason)


def run(target: str, name: str, *ids: uuid.UUID, **options: object) -> dict[uuid.UUID, batches.Item]:
    report = scheduling.run_now(registry.find(target, name), ids, actor=staff(), options=options)
    return {line.target_id: line for line in report.items}


def only(target: str, name: str, target_id: uuid.UUID, **options: object) -> batches.Item:
    return run(target, name, target_id, **options)[target_id]


def lose_everything(mux_sim: MuxSim, lesson: Lesson) -> str:
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    return str(mux_sim.control.assets()[0]["id"])


def clear_with_grace(lesson: Lesson | Course) -> uuid.UUID:
    target = "lesson" if isinstance(lesson, Lesson) else "course"
    action = registry.find(target, "clear_asset")
    return scheduling.run_now(action, [lesson.id], actor=staff(), options={"grace": True}).batch_id
