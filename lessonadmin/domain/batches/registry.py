"""The bulk actions of the support panel and of instructors in one table: name, label, what it says it does, the function that runs it.

An action is one call into the domain for one row and may be repeated without harm. `inside` runs in a transaction
that is open already and never talks to Mux; `outside` asks Mux and opens its own transactions. `preview` counts
beforehand, `batches` and `runner` run; this module only lists what there is.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement

from lessonadmin.db import Actor
from lessonadmin.domain.batches.actions import (
    clear_assets,
    make_captions,
    move_lessons,
    publish_lessons,
    recheck,
    replay_events,
    restore_assets,
    restore_publication,
    set_price,
    take_over_files,
    trash_lessons,
)
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Course, Lesson, MuxEvent, Tracking, User
from lessonadmin.domain.polling.ask_mux import Answers

TargetType = Literal["lesson", "course", "tracking", "event"]
Options = Mapping[str, object]
NO_OPTIONS: Options = {}
Inside = Callable[[uuid.UUID, Options], Result]
Outside = Callable[[uuid.UUID, Actor, Answers], Result]

# The option that names the batch which an undoing batch takes back.
UNDOES = "undoes"
MODELS: dict[str, type[Any]] = {"lesson": Lesson, "course": Course, "tracking": Tracking, "event": MuxEvent}


@dataclass(frozen=True, kw_only=True)
class Action:
    """One button. `verdict` is the SQL expression that says, for a row of the target's table, what would become of
    it (a code of `results`); `calls` how many calls to Mux a row may cost; `together` how many rows share a
    transaction; `takes_videos`: what students bought may play no more; `undone_only_with` the option without which it cannot be undone; what is not `offered` is no button
    of a list of the panel; `for_owners`: instructors have it on this page, for their own lessons. `asks` is the field that is asked for before, and `chosen` makes the
    options of what stands in it; `phrase` is what it is called, where that is not its label and its rows."""

    name: str
    target: TargetType
    label: str
    does: str
    verdict: Callable[[Options], ColumnElement[str]]
    inside: Inside | None = None
    outside: Outside | None = None
    calls: Callable[[uuid.UUID, Answers], int] | None = None
    undone_by: str | None = None
    undone_only_with: str | None = None
    offered: bool = True
    for_owners: Literal["", "lessons", "trash"] = ""
    asks: Literal["", "price", "course_id"] = ""
    chosen: Callable[[User, str], dict[str, object]] | None = None
    phrase: str = ""
    dangerous: bool = False
    takes_videos: bool = False
    together: int = 1

    @property
    def model(self) -> type[Any]:
        return MODELS[self.target]

    def of_rows(self, counted: str) -> str:
        """What it is called with its rows: `Publish 4 lessons`."""
        return self.phrase.format(counted) if self.phrase else f"{self.label} {counted}"

    @property
    def asks_mux(self) -> bool:
        return self.calls is not None


def _clear(target: Literal["lesson", "course"]) -> Action:
    return Action(
        name="clear_asset",
        target=target,
        label="Remove video",
        does="Removes the video here and at Mux, wherever it is used; a running upload is cancelled.",
        takes_videos=True,
        verdict=lambda _options: clear_assets.clear_verdict(target),
        inside=lambda target_id, options: clear_assets.clear(target, target_id, options),
        undone_by="restore",
        undone_only_with=clear_assets.GRACE,
        dangerous=True,
    )


def _restore(target: Literal["lesson", "course"]) -> Action:
    return Action(
        name="restore",
        target=target,
        label="Restore video",
        does="Restores videos that were removed and are still at Mux, and what their lessons were.",
        verdict=lambda _options: restore_assets.verdict(target),
        inside=lambda target_id, _options: restore_assets.restore(target, target_id),
        offered=False,
    )


def _recheck(target: Literal["lesson", "course"]) -> Action:
    return Action(
        name="recheck",
        target=target,
        label="Check with Mux",
        does="Checks with Mux now and applies the answer.",
        verdict=lambda _options: recheck.recheck_verdict(target),
        outside=lambda target_id, actor, answers: recheck.recheck(
            target, target_id, actor=actor, answers=answers
        ),
        calls=lambda target_id, answers: recheck.calls_for(target, target_id, answers),
    )


OWN = (
    Action(
        name="move",
        target="lesson",
        label="Move to a course",
        phrase="Move {} to another course",
        does="Puts lessons at the end of a course, or takes them out of their course.",
        verdict=move_lessons.verdict,
        inside=move_lessons.move,
        undone_by="restore_place",
        asks="course_id",
        chosen=move_lessons.chosen,
        offered=False,
        for_owners="lessons",
        together=50,
    ),
    Action(
        name="restore_place",
        target="lesson",
        label="Put back to their course",
        does="Puts lessons back to the course that they were in, and to their place in it.",
        verdict=lambda _options: restore_publication.verdict(),
        inside=move_lessons.restore,
        offered=False,
        together=50,
    ),
    Action(
        name="set_price",
        target="lesson",
        label="Set price",
        phrase="Set the price of {}",
        does="Changes what students pay from now on. Students who bought the lessons keep them.",
        verdict=set_price.verdict,
        inside=set_price.set_price,
        undone_by="restore_price",
        asks="price",
        chosen=set_price.chosen,
        offered=False,
        for_owners="lessons",
        together=50,
    ),
    Action(
        name="restore_price",
        target="lesson",
        label="Restore price",
        does="Gives lessons the price that they had before.",
        verdict=lambda _options: restore_publication.verdict(),
        inside=set_price.restore,
        offered=False,
        together=50,
    ),
    Action(
        name="trash",
        target="lesson",
        label="Move to trash",
        phrase="Move {} to the trash",
        does="No student sees them any more. They can be restored from the trash with their videos until it is emptied.",
        verdict=lambda _options: trash_lessons.verdict(),
        inside=lambda target_id, _options: trash_lessons.put(target_id),
        undone_by="restore_from_trash",
        offered=False,
        for_owners="lessons",
        together=50,
    ),
    Action(
        name="restore_from_trash",
        target="lesson",
        label="Restore from the trash",
        phrase="Restore {} from the trash",
        does="Restores lessons from the trash; those that were published are published again.",
        verdict=lambda _options: restore_publication.verdict(),
        inside=trash_lessons.restore,
        offered=False,
        together=50,
    ),
    Action(
        name="restore_as_draft",
        target="lesson",
        label="Restore as drafts",
        phrase="Restore {} as drafts",
        does="Takes lessons out of the trash. No student sees them until they are published.",
        verdict=lambda _options: trash_lessons.restore_verdict(publish=False),
        inside=lambda target_id, _options: trash_lessons.restore_deleted(target_id, publish=False),
        undone_by="trash",
        offered=False,
        for_owners="trash",
        together=50,
    ),
    Action(
        name="restore_and_publish",
        target="lesson",
        label="Restore and publish",
        phrase="Restore {} and publish",
        does="Takes lessons out of the trash, and publishes those that were published when they were deleted.",
        verdict=lambda _options: trash_lessons.restore_verdict(publish=True),
        inside=lambda target_id, _options: trash_lessons.restore_deleted(target_id, publish=True),
        undone_by="trash",
        offered=False,
        for_owners="trash",
        together=50,
    ),
)
ALL = (
    Action(
        name="publish",
        target="lesson",
        label="Publish",
        does="Publishes what is ready; the rest is published when its video is ready.",
        verdict=lambda _options: publish_lessons.publish_verdict(),
        inside=lambda target_id, _options: publish_lessons.publish(target_id),
        undone_by="restore_publication",
        for_owners="lessons",
        together=50,
    ),
    Action(
        name="unpublish",
        target="lesson",
        label="Unpublish",
        does="Moves lessons to draft and cancels automatic publishing. Students who bought them can still watch them.",
        verdict=lambda _options: publish_lessons.unpublish_verdict(),
        inside=lambda target_id, _options: publish_lessons.unpublish(target_id),
        undone_by="restore_publication",
        for_owners="lessons",
        together=50,
    ),
    Action(
        name="restore_publication",
        target="lesson",
        label="Restore publication",
        does="Gives lessons back what they were before: published or draft, the date, and the intent to publish when the video is ready.",
        verdict=lambda _options: restore_publication.verdict(),
        inside=restore_publication.restore,
        offered=False,
        together=50,
    ),
    Action(
        name="republish",
        target="lesson",
        label="Re-sync and publish",
        does="Re-syncs the video from Mux and publishes it if ready.",
        verdict=lambda _options: publish_lessons.republish_verdict(),
        outside=lambda target_id, actor, answers: publish_lessons.republish(
            target_id, actor=actor, answers=answers
        ),
        calls=lambda target_id, answers: recheck.calls_for("lesson", target_id, answers),
        undone_by="restore_publication",
    ),
    Action(
        name="make_captions",
        target="lesson",
        label="Make captions",
        does="Has Mux make captions where there are none yet; Mux finds out the language.",
        verdict=lambda _options: make_captions.verdict(),
        inside=lambda target_id, _options: make_captions.make(target_id),
        for_owners="lessons",
        phrase="Make captions for {}",
    ),
    _clear("lesson"),
    _recheck("lesson"),
    _clear("course"),
    _recheck("course"),
    _restore("lesson"),
    _restore("course"),
    Action(
        name="recheck",
        target="tracking",
        label="Check with Mux",
        does="Checks these uploads with Mux now and applies the answer.",
        verdict=lambda _options: recheck.recheck_upload_verdict(),
        outside=lambda target_id, actor, answers: recheck.recheck_upload(
            target_id, actor=actor, answers=answers
        ),
        calls=recheck.calls_for_upload,
    ),
    Action(
        name="clear_asset",
        target="tracking",
        label="Remove video",
        does="Removes the videos of these uploads here and at Mux, wherever they are used; open uploads are cancelled.",
        takes_videos=True,
        verdict=lambda _options: clear_assets.clear_upload_verdict(),
        inside=clear_assets.clear_upload,
        dangerous=True,
    ),
    Action(
        name="take_over",
        target="tracking",
        label="Take over",
        does="Takes over held files, whose uploader had lost the right to the lesson. Each becomes the newest video of its lesson or course: it replaces the one that plays, or is published if the lesson waits for its video.",
        verdict=lambda _options: take_over_files.take_over_verdict(),
        inside=lambda target_id, _options: take_over_files.take_over(target_id),
        dangerous=True,
    ),
    Action(
        name="replay",
        target="event",
        label="Replay",
        does="Applies stored events again; safe to run any number of times.",
        verdict=lambda _options: replay_events.replay_verdict(),
        outside=lambda target_id, actor, _answers: replay_events.replay(target_id, actor=actor),
    ),
    *OWN,
)
TABLE: dict[tuple[str, str], Action] = {(action.target, action.name): action for action in ALL}


def find(target: str, name: str) -> Action:
    """The action of this name for this kind of row; raises Missing for anything that is not in the table."""
    found = TABLE.get((target, name))
    if found is None:
        raise Missing(message="There is no such action.")
    return found


def of(target: str) -> tuple[Action, ...]:
    """Every action for one kind of row, in the order of their buttons."""
    return tuple(action for action in ALL if action.target == target and action.offered)


def of_owners(page: Literal["lessons", "trash"]) -> tuple[Action, ...]:
    """Those that an instructor has for lessons of their own on this page, in the order of their buttons."""
    return tuple(action for action in ALL if action.for_owners == page)
