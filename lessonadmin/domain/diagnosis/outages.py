"""What keeps every video from going on, whatever its file is: Mux, its messages, and the processes that do the work.

Read from what is known already: heartbeats, open alarms, hourly figures, the upload's own last look and events. Mux is
not asked. Each is said as an outage, never as a fault of the file.
"""

from collections.abc import Iterator
from datetime import timedelta

from lessonadmin import queue
from lessonadmin.domain import heartbeats
from lessonadmin.domain.diagnosis.facts import VideoFacts
from lessonadmin.domain.diagnosis.finding import DOCTOR, Button, Finding, check
from lessonadmin.domain.diagnosis.signals import LATELY, MUX, Signals, read_signals

SILENT = timedelta(seconds=60)
# The heartbeat of answers is written only every ten seconds.
ANSWER_MARGIN_SECONDS = 10.0
# While these last, nothing that is known of the video counts for much.
MUX_AWAY = ("wrong_token", "mux_unreachable", "mux_busy", "wrong_environment")
NOT_THE_FILE = "The file is not the cause."
OPERATOR = "An operator must check MUX_TOKEN_ID and its secret; the doctor tells when Mux accepts them again."


def outages(case: VideoFacts) -> Iterator[Finding]:
    """Each cause once, Mux itself first."""
    told: set[str] = set()
    for one in _all(case):
        if one.cause not in told:
            told.add(one.cause)
            yield one


def _all(case: VideoFacts) -> Iterator[Finding]:
    signals = read_signals()
    yield from _mux(case, signals)
    yield from _messages(case, signals)
    yield from background_work_findings(signals)
    if "queue_stands" in signals.alarms:
        said = "Jobs have waited for minutes: the queue does not move. An operator must look at the workers; the clock does the work meanwhile, more slowly."
        yield Finding("queue_stands", said, "trouble", (Button("Open the jobs", page="jobs"),))


# Mux itself


def _mux(case: VideoFacts, signals: Signals) -> Iterator[Finding]:
    again = check(case)
    if case.look is None and case.last_look_error is not None:
        category, message = case.last_look_error
        yield mux_trouble(category, f"Mux was asked about this video, without success: {message}", again)
    if "token_refused" in signals.alarms:
        yield mux_trouble("auth_error", "Mux does not accept Lessonadmin’s access token.", again)
    if "wrong_environment" in signals.alarms:
        said = "Mux knows unusually many videos of Lessonadmin no more: the access token seems to belong to another Mux environment. Nothing is concluded from it."
        yield Finding("wrong_environment", said, "trouble", (DOCTOR,))
    failing = _failing_lately(signals)
    if failing is not None:
        yield mux_trouble(
            failing, CALLS.get(failing, "Mux did not answer Lessonadmin’s latest calls."), again
        )


CALLS = {
    "auth_error": "Mux does not accept Lessonadmin’s access token.",
    "rate_limit": "Mux accepts no more calls from Lessonadmin at present.",
}


def _failing_lately(signals: Signals) -> str | None:
    """How the newest background call ended, if it failed within the last minutes and none was answered since."""
    seen = {
        name.removeprefix(MUX): age
        for name, age in signals.seen.items()
        if name.startswith(MUX) and age < LATELY.total_seconds()
    }
    answered = seen.pop("ok", None)
    newest = min(seen, key=lambda category: seen[category], default=None)
    if newest is None or (answered is not None and answered <= seen[newest] + ANSWER_MARGIN_SECONDS):
        return None
    return newest


def mux_trouble(category: str, message: str, again: Button) -> Finding:
    """Mux could not be asked: a wrong token needs an operator, nearly everything else passes."""
    message = message if message.endswith((".", "…", "!", "?")) else f"{message}."
    if category == "auth_error":
        return Finding("wrong_token", f"{message} {NOT_THE_FILE} {OPERATOR}", "trouble", (DOCTOR,))
    if category == "rate_limit":
        said = f"{message} {NOT_THE_FILE} Mux is asked again automatically; wait a minute."
        return Finding("mux_busy", said, "waiting", (again,))
    if category in ("temp_asset", "not_found"):
        return Finding("nothing_at_mux", message, "trouble")
    said = f"{message} {NOT_THE_FILE} Nothing is concluded from it, and Mux is asked again automatically."
    return Finding("mux_unreachable", said, "trouble", (again, DOCTOR))


# Mux's messages


def _messages(case: VideoFacts, signals: Signals) -> Iterator[Finding]:
    refused = signals.refused
    if refused or "signatures" in signals.alarms:
        count = f" ({refused} lately)" if refused else ""
        said = f"Messages of Mux are refused{count}: their signature is wrong, or they are damaged. An operator must compare MUX_WEBHOOK_SECRETS with the Mux dashboard. “Check with Mux” gets what this video missed."
        yield Finding("webhooks_refused", said, "trouble", (check(case), DOCTOR))
    elif signals.alarms & {"no_events", "webhooks_lost"} or _silent(case):
        said = "Messages of Mux about this upload do not arrive. Mux is asked regularly instead, so the video gets ready a little later; “Check with Mux” does it now. An operator must check the webhook in the Mux dashboard."
        yield Finding("webhooks_silent", said, "trouble", (check(case), DOCTOR))
    if "events_waiting" in signals.alarms:
        said = "Messages of Mux have arrived and are not applied yet. None is lost; an operator must look whether the clock is running."
        yield Finding("webhooks_not_applied", said, "trouble", (check(case), DOCTOR))


def _silent(case: VideoFacts) -> bool:
    """The file went out a while ago, or Mux is known to have it, and not one message about it was heard."""
    upload = case.watched
    if upload is None or not case.moving:
        return False
    sent = min((at for at in (upload.bytes_in_at, upload.asset_seen_at) if at is not None), default=None)
    return sent is not None and sent <= case.now - SILENT and not case.heard


# The processes that do the work


def background_work_findings(signals: Signals) -> Iterator[Finding]:
    """Are Redis, a worker and the clock there to do the work?"""
    if not queue.answers():
        said = "Redis does not answer, so jobs start later than usual; the clock does the work meanwhile. An operator must start Redis."
        yield Finding("redis_away", said, "trouble", (DOCTOR,))
    there = heartbeats.worker_and_clock_among(signals.seen)
    if not there["worker"]:
        said = "No worker has been seen for a minute: background work is left to the clock and takes longer. An operator must start a worker."
        yield Finding("no_workers", said, "trouble", (DOCTOR,))
    if not there["clock"]:
        said = "No clock has been seen for a minute: lost messages of Mux are not noticed. An operator must start the clock."
        yield Finding("no_clock", said, "trouble", (DOCTOR,))
