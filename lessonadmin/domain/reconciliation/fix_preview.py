"""What a fix of the last report's differences would do, counted before staff confirm it. Changes nothing, asks nothing of Mux."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import and_, distinct, func, select

from lessonadmin.db import db
from lessonadmin.domain.models import Difference, Lesson

# Of these kinds the video that plays may turn out not to play any more.
ENDING_KINDS = ("missing", "stale")


@dataclass(frozen=True)
class Effect:
    """How many lessons and courses the open differences of a kind are about, how many of the lessons are published and
    would become drafts, and how many drafts wait for this video and would be published."""

    lessons: int = 0
    courses: int = 0
    unpublished: int = 0
    published: int = 0


def effects(run_id: uuid.UUID) -> defaultdict[str, Effect]:
    """By kind, in one query. A row may change before the fix, which checks each with Mux once more; a page
    whose report is a moment older may show a kind of which nothing is open by now."""
    plays = and_(Lesson.status == "published", Lesson.mux_asset_id == Difference.mux_id)
    waits = and_(
        Lesson.status == "draft", Lesson.publish_on_ready, Lesson.video_processing_status == "processing"
    )
    counted = db.session.execute(
        select(
            Difference.kind,
            func.count(distinct(Lesson.id)),
            func.count(distinct(Difference.target_id)).filter(Difference.target_type == "course"),
            func.count(distinct(Lesson.id)).filter(plays, Difference.kind.in_(ENDING_KINDS)),
            func.count(distinct(Lesson.id)).filter(waits, Difference.kind == "stale"),
        )
        .outerjoin(Lesson, and_(Difference.target_type == "lesson", Lesson.id == Difference.target_id))
        .where(Difference.run_id == run_id, Difference.mended_at.is_(None))
        .group_by(Difference.kind)
    )
    return defaultdict(Effect, {kind: Effect(*counts) for kind, *counts in counted})
