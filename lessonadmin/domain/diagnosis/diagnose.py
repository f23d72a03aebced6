"""Why is this video where it is, and what is to be done: cause -> sentence -> buttons.

From the local database alone (`diagnose(owner)`, a handful of queries), or better after a look at Mux on request
(`diagnose(owner, look=mux_comparison.look(...))`). Nothing is changed here. The first finding is the cause, those after
it are what else stands in the way.
"""

from collections.abc import Iterator

from lessonadmin.domain.diagnosis import outages
from lessonadmin.domain.diagnosis.facts import Uploads, VideoFacts, read_facts
from lessonadmin.domain.diagnosis.finding import Button, Finding
from lessonadmin.domain.diagnosis.findings import (
    captions,
    finding_in_database,
    held,
    not_begun,
    replacement,
)
from lessonadmin.domain.diagnosis.findings_at_mux import finding_at_mux
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import Owner

__all__ = ["Button", "Finding", "diagnose"]

# What an outage may be the reason of: here the outage comes first.
MAY_FOLLOW = ("no_bytes", "bytes_sent", "preparing_slowly", "url_expired", "replacement_late")


def diagnose(owner: Owner, *, look: Look | None = None, uploads: Uploads | None = None) -> list[Finding]:
    """What there is to say about the video of a lesson or course, the cause first. Never empty."""
    case = read_facts(owner, look, uploads)
    main = finding_at_mux(case) or finding_in_database(case)
    around = [one for one in _surroundings(case, main) if one.cause != main.cause]
    decide = list(held(case))
    if decide and main.severity != "trouble":
        return [*decide, main, *around]
    before = [one for one in around if _comes_first(one, main, case)]
    return [*before, main, *(one for one in around if one not in before), *decide]


def _comes_first(one: Finding, main: Finding, case: VideoFacts) -> bool:
    """Waiting is normal only if all runs that is waited for; else that is the cause."""
    if one.severity != "trouble" or not (case.moving or case.status == "deleting"):
        return False
    uncertain = main.severity == "waiting" or main.cause in MAY_FOLLOW
    return uncertain or one.cause in outages.MUX_AWAY


def _surroundings(case: VideoFacts, main: Finding) -> Iterator[Finding]:
    if case.moving or case.status == "deleting" or case.not_begun is not None:
        yield from outages.outages(case)
    if case.not_begun is not None and case.status != "none":
        yield not_begun(case)
    if case.waiting_events:
        count = len(case.waiting_events)
        said = f"{count} event{'s' if count > 1 else ''} of Mux about it could not be applied or matched."
        replay = Button("Replay", "replay", "event", tuple(case.waiting_events))
        yield Finding("events_waiting", said, "trouble", (replay,))
    if case.is_replacement and main.cause != "replacement_late":
        yield replacement(case)
    yield from captions(case)
