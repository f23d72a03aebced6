"""Why is this video where it is, and what is to be done: cause -> sentence -> button.

From the local database alone (`diagnose(owner)`, a handful of queries), or better after a look at Mux on request
(`diagnose(owner, look=mux_comparison.look(...))`). Nothing is changed here; a button names an action of `registry`. The first
finding is the cause, those after it are what else stands in the way.
"""

from collections.abc import Iterator

from lessonadmin import queue
from lessonadmin.domain import heartbeats
from lessonadmin.domain.diagnosis.facts import Uploads, VideoFacts, read_facts
from lessonadmin.domain.diagnosis.findings import (
    DOCTOR,
    Button,
    Finding,
    finding_at_mux,
    finding_in_database,
    held,
    mux_trouble,
    replacement,
)
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import Owner

__all__ = ["Button", "Finding", "background_work_findings", "diagnose"]


def diagnose(owner: Owner, *, look: Look | None = None, uploads: Uploads | None = None) -> list[Finding]:
    """What there is to say about the video of a lesson or course, the cause first. Never empty."""
    case = read_facts(owner, look, uploads)
    main = finding_at_mux(case) or finding_in_database(case)
    around = list(_surroundings(case, main))
    decide = list(held(case))
    if decide and main.severity != "trouble":
        return [*decide, main, *around]
    return [*_in_order(around, main), *decide]


def _in_order(around: list[Finding], main: Finding) -> list[Finding]:
    return [*around, main] if _stands_in_the_way(around, main) else [main, *around]


def _stands_in_the_way(around: list[Finding], main: Finding) -> bool:
    """Waiting is normal only if worker and clock run; else that is the cause."""
    return bool(around) and around[0].severity == "trouble" and main.severity == "waiting"


# What else stands in the way


def _surroundings(case: VideoFacts, main: Finding) -> Iterator[Finding]:
    if case.moving or case.status == "deleting":
        yield from background_work_findings()
        if case.look is None and case.last_look_error is not None:
            category, message = case.last_look_error
            trouble = mux_trouble(category, f"The last look at Mux failed: {message}")
            if trouble.cause != main.cause:
                yield trouble
    if case.waiting_events:
        count = len(case.waiting_events)
        said = f"{count} event{'s' if count > 1 else ''} of Mux about it could not be applied or matched."
        yield Finding(
            "events_waiting",
            said,
            "trouble",
            Button("Replay", "replay", "event", tuple(case.waiting_events)),
        )
    if case.is_replacement and main.cause != "replacement_late":
        yield replacement(case)


def background_work_findings() -> Iterator[Finding]:
    """Are Redis, a worker and the clock there to do the work?"""
    if not queue.answers():
        yield Finding(
            "redis_away",
            "Redis does not answer, so jobs are not picked up at once; the clock's sweep does the work, more slowly.",
            "trouble",
            DOCTOR,
        )
    there = heartbeats.worker_and_clock()
    if not there["worker"]:
        yield Finding(
            "no_workers",
            "No worker has been seen for a minute: the clock does the background work, more slowly.",
            "trouble",
            DOCTOR,
        )
    if not there["clock"]:
        yield Finding(
            "no_clock",
            "No clock has been seen for a minute: nobody looks for lost messages.",
            "trouble",
            DOCTOR,
        )
