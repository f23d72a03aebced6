"""Conditions that staff must know of before an instructor complains: staff get one notice at the start and one at the end.

An alarm is a row from its first sighting to its end. What is looked at are rolled-up figures and rows with an index;
nothing is scanned and Mux is not asked.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats, hourly_statistics, mux_budget
from lessonadmin.domain.audit import audit_log, security_counts
from lessonadmin.domain.health import mux_usage
from lessonadmin.domain.models import Alarm, MuxCall, MuxEvent, Tracking, User
from lessonadmin.domain.models.accounts import STAFF
from lessonadmin.domain.polling import not_found_guard
from lessonadmin.domain.webhooks import waiting_events
from lessonadmin.text.durations import in_words
from lessonadmin.text.ids import as_id

log = logging.getLogger(__name__)

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
FEW = 3
SIGNATURES_AN_HOUR = 10
FAILURES_AT_LEAST = 5
FAILURE_SHARE_AT_LEAST = 0.2
TIMES_THE_HABIT = 3
EVENT_WAITS_SECONDS = 60
JOB_WAITS_SECONDS = 300
SIGN_INS_IN_FIVE_MINUTES = 50
TOKENS_IN_FIVE_MINUTES = 50
REFUSALS_IN_FIVE_MINUTES = 30
FORGED_IN_FIVE_MINUTES = 50
EXPORTS_IN_FIVE_MINUTES = 10
ENDS_IN_FIVE_MINUTES = 50
TRIES = (
    "sign_in_failed", "locked_out", "temporary_password_ended", "wrong_code", "passkey_refused", "single_sign_on_refused",
)  # fmt: skip
RECENTLY = timedelta(minutes=15)


@dataclass(frozen=True)
class Kind:
    """What it is called, what to do about it, and how it is noticed: a text if it is so, None if not."""

    name: str
    title: str
    what_to_do: str
    look: Callable[[], str | None]


def _recent_ready() -> dict[str, int]:
    rows = db.session.execute(
        select(Tracking.ready_found_by, func.count())
        .where(Tracking.ready_at > func.clock_timestamp() - HOUR)
        .group_by(Tracking.ready_found_by)
    )
    return {by or "manual": count for by, count in rows}


def _webhooks_lost() -> str | None:
    found = _recent_ready()
    by_sweep, by_webhook = found.get("sweep", 0), found.get("webhook", 0)
    if by_sweep >= FEW and by_sweep > by_webhook:
        return f"In the last hour {by_sweep} videos were found ready by checking with Mux, {by_webhook} by a webhook."
    return None


def _no_events() -> str | None:
    finished = sum(_recent_ready().values())
    heard = db.session.scalar(
        select(MuxEvent.id).where(MuxEvent.received_at > func.clock_timestamp() - HOUR).limit(1)
    )
    if finished >= FEW and heard is None:
        return f"{finished} videos became ready in the last hour and not one webhook arrived."
    return None


def _events_waiting() -> str | None:
    backlog = waiting_events.backlog()
    if backlog.oldest_seconds < EVENT_WAITS_SECONDS:
        return None
    said = "1 webhook is" if backlog.count == 1 else f"{backlog.count:,} webhooks are"
    return f"{said} stored and not applied; the oldest came {in_words(backlog.oldest_seconds)} ago."


def _failure_rate() -> str | None:
    recent, habit = (
        hourly_statistics.totals("ended", since=HOUR),
        hourly_statistics.totals("ended", since=MONTH),
    )
    failed, ended = _failures(recent), sum(recent.values())
    if failed < FAILURES_AT_LEAST or not ended:
        return None
    before_failed, before = _failures(habit) - failed, sum(habit.values()) - ended
    usual = before_failed / before if before else 0.0
    if failed / ended > max(FAILURE_SHARE_AT_LEAST, usual * TIMES_THE_HABIT):
        return f"{failed} of the last {ended} videos failed; usually it is {usual:.0%}."
    return None


def _failures(ended: Mapping[str, int]) -> int:
    return sum(count for label, count in ended.items() if label not in ("ready", "cancelled"))


def _queue_stands() -> str | None:
    waits = queue.max_wait_seconds()
    if waits is not None and waits > JOB_WAITS_SECONDS:
        return f"The oldest job has waited for {waits / 60:.0f} minutes."
    return None


def _no_worker() -> str | None:
    silent = heartbeats.age(heartbeats.WORKER)
    if silent is None:
        return "No worker has been seen yet."
    seconds = heartbeats.FRESH_SECONDS
    return f"No worker has been seen for more than {in_words(seconds)}." if silent > seconds else None


def refused_signatures() -> int:
    """How many webhook requests were refused for their signature within the last hour or two."""
    refused = hourly_statistics.totals("rejected", since=HOUR)
    return sum(refused.get(reason, 0) for reason in ("mismatch", "stale", "future", "missing", "malformed"))


def _signatures() -> str | None:
    wrong = refused_signatures()
    if wrong >= SIGNATURES_AN_HOUR:
        return f"{wrong} webhook requests were refused for their signature within the last hour or two."
    return None


def _last_call(outcome: str) -> bool:
    """Did the newest call that a person or a lesson was waiting for end so, lately?"""
    lately = MuxCall.at > func.clock_timestamp() - RECENTLY
    bad = db.session.scalar(select(func.max(MuxCall.at)).where(MuxCall.outcome == outcome, lately))
    if bad is None:
        return False
    good = select(MuxCall.id).where(MuxCall.outcome == "ok", MuxCall.at > bad).limit(1)
    return db.session.scalar(good) is None


def _token_refused() -> str | None:
    refused, answered = heartbeats.age(mux_budget.REFUSED), heartbeats.age(mux_budget.ANSWERED)
    if (
        refused is not None
        and refused < RECENTLY.total_seconds()
        and (answered is None or answered > refused)
    ):
        return "Mux refuses the workers' access token."
    return "Mux refuses the access token." if _last_call("auth_error") else None


def _quota() -> str | None:
    return "Mux refuses new uploads because the plan's limit is reached." if _last_call("quota") else None


def _wrong_environment() -> str | None:
    gone = not_found_guard.suspicious_not_found()
    if not gone:
        return None
    return f"Mux reported {gone} videos as deleted within an hour. Lessonadmin does not believe that: they stay as they are."


def _sign_in_burst() -> str | None:
    tries = security_counts.busiest(TRIES).count
    if tries < SIGN_INS_IN_FIVE_MINUTES:
        return None
    return f"{tries} wrong passwords were tried within five minutes, over all accounts."


def _token_burst() -> str | None:
    tries = security_counts.busiest(("bad_token", "expired_token")).count
    if tries < TOKENS_IN_FIVE_MINUTES:
        return None
    return f"{tries} requests within five minutes came with an unknown or ended API token."


def _refusal_burst() -> str | None:
    burst = security_counts.busiest(("refused", "insufficient_scope"), of_one_account=True)
    if burst.count < REFUSALS_IN_FIVE_MINUTES:
        return None
    return f"{_name(burst)} was refused {burst.count} times within five minutes."


def _name(burst: security_counts.Burst) -> str:
    user = db.session.get(User, as_id(burst.who.removeprefix("user:")))
    return user.email if user is not None else burst.who


def _forged_burst() -> str | None:
    count = security_counts.busiest(("csrf_refused", "host_refused")).count
    if count < FORGED_IN_FIVE_MINUTES:
        return None
    return f"{count} requests within five minutes had no right form token, or named another host."


def _export_burst() -> str | None:
    burst = security_counts.busiest(("exported",), of_one_account=True)
    if burst.count < EXPORTS_IN_FIVE_MINUTES:
        return None
    return f"{_name(burst)} exported {burst.count} CSV files within five minutes."


def _ends_burst() -> str | None:
    count = security_counts.busiest(("session_ended", "token_ended")).count
    if count < ENDS_IN_FIVE_MINUTES:
        return None
    return f"Sessions and API tokens were ended {count} times within five minutes."


def _copied_passkey() -> str | None:
    count = security_counts.busiest(("passkey_copied",)).count
    return f"A passkey came back with an older counter: {count} within five minutes." if count else None


def _foreign_jobs() -> str | None:
    count = security_counts.busiest(("job_refused",)).count
    return f"Redis held jobs that Lessonadmin did not write: {count} within five minutes." if count else None


KINDS: tuple[Kind, ...] = (
    Kind("webhooks_lost", "Webhooks are lost", "Check the webhook's address and secret in the Mux dashboard.", _webhooks_lost),
    Kind("no_events", "No webhook arrives", "Check in the Mux dashboard that the webhook exists and that its calls reach this server.", _no_events),
    Kind("events_waiting", "Webhooks are not applied", "None is lost. Check that the clock is running and what it logs; flask --app app sweep applies them now.", _events_waiting),
    Kind("failure_rate", "Many videos fail", "Open the newest failed lessons: do they have the same cause?", _failure_rate),
    Kind("queue_stands", "The job queue is not moving", "Open the jobs page; start another worker.", _queue_stands),
    Kind("no_worker", "No worker is running", "Start a worker: flask --app app worker.", _no_worker),
    Kind("signatures", "Webhook signatures are refused", "Compare MUX_WEBHOOK_SECRETS with the Mux dashboard.", _signatures),
    Kind("token_refused", "Mux refuses the access token", "Check MUX_TOKEN_ID and its secret, then run flask doctor.", _token_refused),
    Kind("quota", "The Mux plan is used up", "Upgrade the Mux plan or delete unused videos.", _quota),
    Kind("quota_near", "The Mux plan is nearly used up", "Upgrade the Mux plan before uploads are refused, or delete unused videos.", mux_usage.near_limit),
    Kind("sign_in_burst", "Password guessing", "Find sign_in_failed of lessonadmin.security in the log and block the address the requests come from.", _sign_in_burst),
    Kind("token_burst", "Many requests with unknown tokens", "Find bad_token in the log: is it a forgotten script, or an address to block?", _token_burst),
    Kind("refusal_burst", "An account keeps asking for pages it has no access to", "Ask the person; if it was not them, reset the password.", _refusal_burst),
    Kind("forged_requests", "Many forged requests", "Find csrf_refused and host_refused in the log: a broken page, a proxy that changes the host, or an address to block?", _forged_burst),
    Kind("export_burst", "An account exports many files", "Ask the person; if it was not them, reset the password: that ends every session and token.", _export_burst),
    Kind("ends_burst", "Many sessions and tokens are ended", "Look in the audit log who ended them; if that was not meant, reset that person's password.", _ends_burst),
    Kind("passkey_copied", "A passkey may have been copied", "Find passkey_copied in the log, and remove that passkey with its owner.", _copied_passkey),
    Kind("job_refused", "Foreign jobs in Redis", "Another program or an attacker writes to Redis. Close it off and change its password (run flask doctor).", _foreign_jobs),
    Kind("wrong_environment", "Mux does not know the videos", "Does the token belong to another Mux environment? Run flask doctor; if they were really deleted, check them with Mux by hand.", _wrong_environment),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


def look(*, actor: Actor) -> int:
    """Open what is so, end what is over; how many alarms stand."""
    standing = 0
    for kind in KINDS:
        try:
            message = kind.look()
        finally:
            db.session.rollback()
        with transaction(actor):
            if message is not None:
                standing += 1
                _open(kind, message)
            else:
                _end(kind)
    return standing


def _open(kind: Kind, message: str) -> None:
    opened = db.session.execute(
        insert(Alarm)
        .values(kind=kind.name, message=message)
        .on_conflict_do_nothing(index_elements=["kind"], index_where=Alarm.ended_at.is_(None))
        .returning(Alarm.id)
    ).first()
    if opened is None:
        return
    log.error("alarm: %s: %s", kind.title, message)
    _tell_staff(f"{kind.title}. {message} {kind.what_to_do}")


def _end(kind: Kind) -> None:
    ended = db.session.execute(
        update(Alarm)
        .where(Alarm.kind == kind.name, Alarm.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
        .returning(Alarm.id)
    ).first()
    if ended is not None:
        log.warning("alarm over: %s", kind.title)
        _tell_staff(f"Over: {kind.title[0].lower()}{kind.title[1:]}.")


def _tell_staff(message: str) -> None:
    for user_id in db.session.scalars(select(User.id).where(User.role.in_(STAFF), User.active)):
        audit_log.notify_user("alarm", user_id, message)


def standing() -> list[Alarm]:
    """Alarms that are not over, the oldest first."""
    return list(db.session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.started_at)))
