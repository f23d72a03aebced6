"""Compares what the journal says with what is there, as sets: lost, doubled, wrong.

Lost: a webhook that was acknowledged and is not stored, a lesson that was saved and is not there, a publication or a deletion that
was promised and did not happen. Doubled: something happened twice. Wrong: anything else that is not as the journal says.
`read` collects the facts from the database and from the simulator's own record; `judge` knows neither.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.endurance.journal import Journal, Step, Story
from tests.flows.processes import Stack

# Each of them happens to a lesson of the load once at most.
ONCE = (
    "lesson.created", "lesson.published", "lesson.unpublished", "lesson.deleted",
    "video.ready", "video.delete_requested", "video.deleted",
)  # fmt: skip
APPLIED = ("applied", "no_change", "ignored", "unmatched")


@dataclass
class Facts:
    """What is there when everything has ended."""

    lessons: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # id -> its state, the state of its video
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (audit action, lesson)
    notices: Counter[str] = field(default_factory=Counter)  # of publications, by lesson
    stored: Counter[str] = field(default_factory=Counter)  # events
    not_applied: set[str] = field(default_factory=set)  # events that wait or failed
    delivered: set[str] = field(default_factory=set)  # events that the simulator got a 2xx for
    assets: set[str] = field(default_factory=set)  # at Mux
    deletions: Counter[str] = field(default_factory=Counter)  # assets that Mux deleted when asked
    published_at: dict[str, float] = field(default_factory=dict)
    deleted_at: dict[str, float] = field(default_factory=dict)


@dataclass
class Verdict:
    """Sentences about what is not right; all empty if everything is."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        parts = ((name, getattr(self, name)) for name in ("lost", "doubled", "wrong"))
        return "; ".join(f"{name} {len(found)} {found[:3]}" for name, found in parts if found) or "all right"


def read(stack: Stack) -> Facts:
    """What was delivered comes first: what is delivered meanwhile is not missed among the stored ones."""
    rows = stack.database.rows
    facts = Facts(delivered=_delivered(stack))
    facts.lessons = {
        one: (status, video)
        for one, status, video in rows("SELECT id::text, status, video_processing_status FROM lessons")
    }
    for action, lesson, count, at in rows(
        "SELECT action, target_id::text, count(*), extract(epoch FROM min(at))::float FROM audit_log"
        " WHERE target_type = 'lesson' AND action = ANY(%s) GROUP BY 1, 2", list(ONCE),
    ):  # fmt: skip
        facts.actions[action, lesson] = count
        if action == "lesson.published":
            facts.published_at[lesson] = at
    facts.notices.update(
        dict(
            rows(
                "SELECT lesson_id::text, count(*) FROM notifications WHERE kind = 'lesson_published' AND lesson_id IS NOT NULL GROUP BY 1"
            )
        )
    )
    stored = "SELECT mux_event_id, outcome FROM mux_events UNION ALL SELECT mux_event_id, 'waiting' FROM waiting_events"
    for event_id, outcome in rows(stored):
        facts.stored[event_id] += 1
        if outcome not in APPLIED:
            facts.not_applied.add(event_id)
    _read_simulator(stack, facts)
    return facts


def _delivered(stack: Stack) -> set[str]:
    assert stack.simulator is not None
    rows = stack.simulator.core.store.all("SELECT event_id FROM deliveries WHERE status = 'delivered'")
    return {one["event_id"] for one in rows}


def _read_simulator(stack: Stack, facts: Facts) -> None:
    assert stack.simulator is not None
    store = stack.simulator.core.store
    facts.assets = {one["id"] for one in store.all("SELECT id FROM assets")}
    for call in store.all(
        "SELECT path, at FROM calls WHERE operation = 'delete_asset' AND status = 204 ORDER BY seq"
    ):
        asset = call["path"].rpartition("/")[2]
        facts.deletions[asset] += 1
        facts.deleted_at.setdefault(asset, call["at"])


def judge(journal: Journal, facts: Facts) -> Verdict:
    found = Verdict()
    acknowledged = journal.acknowledged | facts.delivered
    found.lost += [f"webhook {one}" for one in sorted(acknowledged - set(facts.stored))]
    found.doubled += [f"webhook {one}, {count} times" for one, count in facts.stored.items() if count > 1]
    found.doubled += [
        f"{action} of {lesson}, {count} times"
        for (action, lesson), count in facts.actions.items()
        if count > 1
    ]
    found.doubled += [
        f"notice of {lesson}, {count} times" for lesson, count in facts.notices.items() if count > 1
    ]
    found.doubled += [
        f"deletion of {asset} at Mux, {count} times" for asset, count in facts.deletions.items() if count > 1
    ]
    found.wrong += [f"webhook {one} is not applied" for one in sorted(facts.not_applied)]
    found.wrong += journal.refusals
    for story in journal.stories:
        _judge_story(story, facts, found)
    return found


def _judge_story(story: Story, facts: Facts, found: Verdict) -> None:
    there = facts.lessons.get(story.lesson_id)
    if story.fate == "delete" and story.was_tried:
        _judge_deleted(story, facts, found)
        return
    if there is None:
        found.lost.append(f"lesson {story.lesson_id}")
        return
    status, video = there
    was_published = facts.actions["lesson.published", story.lesson_id] > 0
    if not story.file_at and was_published:
        found.wrong.append(f"lesson {story.lesson_id} is published without a file")
    if story.file_at and not was_published:
        found.lost.append(f"publication of {story.lesson_id}, which is {status} with a video that is {video}")
    elif story.fate == "remove" and story.was_tried:
        _judge_removed(story, facts, found)
    elif story.file_at:
        wanted = "draft" if story.fate == "unpublish" and story.asked_at else "published"
        is_open = story.fate == "unpublish" and story.was_tried and not story.asked_at
        if (status != wanted and not is_open) or video != "ready":
            found.wrong.append(
                f"lesson {story.lesson_id} is {status} with a video that is {video}, {story.fate}"
            )
        if story.asset_id and story.asset_id not in facts.assets:
            found.wrong.append(f"asset {story.asset_id} of lesson {story.lesson_id} is not at Mux")


def _judge_removed(story: Story, facts: Facts, found: Verdict) -> None:
    status, video = facts.lessons[story.lesson_id]
    if not story.asked_at:
        return  # both ends are right
    if story.asset_id in facts.assets:
        found.lost.append(f"deletion of {story.asset_id} at Mux")
    elif (status, video) != ("draft", "none"):
        found.wrong.append(f"lesson {story.lesson_id} is {status} with a video that is {video}, removed")


def _judge_deleted(story: Story, facts: Facts, found: Verdict) -> None:
    if not story.asked_at:
        return
    if story.lesson_id in facts.lessons:
        found.lost.append(f"deletion of lesson {story.lesson_id}")
    elif story.asset_id in facts.assets:
        found.lost.append(f"deletion of {story.asset_id} at Mux")


def wait_until_right(
    stack: Stack, journal: Journal, *, seconds: float, by: float | None = None
) -> tuple[Verdict, Facts]:
    """The verdict once it is clean; at the latest after this time. `by`: the load goes on, and what was promised until then counts."""
    until = time.monotonic() + seconds
    while True:
        said = journal.until(by)
        facts = read(stack)
        if by is not None:
            facts.not_applied.clear()
        found = judge(said, facts)
        if found.is_clean or time.monotonic() > until:
            return found, facts
        time.sleep(0.5)


def delays(journal: Journal, facts: Facts) -> list[tuple[float, float]]:
    """When each change was asked for, and when it was there. A lesson is published when its instructor has come through with its file."""
    found = []
    for story in journal.stories:
        if story.file_at and (at := facts.published_at.get(story.lesson_id)):
            found.append((story.saved_at, at))
        if story.asked_at and (at := facts.deleted_at.get(story.asset_id)):
            found.append((story.asked_at, at))
    return found


def seconds_after(moment: float, changes: Iterable[tuple[float, float]]) -> float:
    """How long after this moment the last change came that was promised before it."""
    return max([0.0, *(there - moment for promised, there in changes if promised <= moment)])


def unfinished(journal: Journal) -> int:
    """Lessons whose plan was not carried out when the run ended."""
    return sum(1 for one in journal.stories if one.step is not Step.DONE)
