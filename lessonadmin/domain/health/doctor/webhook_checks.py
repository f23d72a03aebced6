"""Doctor checks of webhooks: when the last one came, how late, from which environment, and by which secret."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail, ok, warn
from lessonadmin.domain.models import MuxEvent, Rollup, Tracking
from lessonadmin.domain.webhooks import waiting_events
from lessonadmin.text.durations import in_words

LATEST = 500
LATE_SECONDS = 60.0
WAITS_SECONDS = 60.0
MAX_REFUSED = 5
ADDRESS = "/api/webhooks/mux"


def webhooks(context: DoctorContext) -> list[Line]:
    """Do they come, soon, and from one environment?"""
    rows, now = _latest(context)
    if not rows:
        return [_none_yet(context), _waiting(context)]
    age = (now - rows[0].received_at).total_seconds()
    delays = sorted(
        (row.received_at - row.occurred_at).total_seconds() for row in rows if row.occurred_at is not None
    )
    return [
        _last(context, age, rows[0].type),
        _waiting(context),
        *([_delay(delays)] if delays else []),
        _environments(rows),
        _refused(context),
    ]


def _latest(context: DoctorContext) -> tuple[list[Any], datetime]:
    columns = (
        MuxEvent.received_at, MuxEvent.occurred_at, MuxEvent.type, MuxEvent.environment_id, MuxEvent.secret_hint,
    )  # fmt: skip
    with context.connection() as connection:
        rows = connection.execute(select(*columns).order_by(MuxEvent.received_at.desc()).limit(LATEST)).all()
        now = connection.execute(select(func.clock_timestamp())).scalar_one()
    return list(rows), now


def _none_yet(context: DoctorContext) -> Line:
    address = context.settings.public_url + ADDRESS
    with context.connection() as connection:
        uploads = connection.scalar(select(Tracking.id).where(Tracking.asset_seen_at.is_not(None)).limit(1))
    todo = f"In the Mux dashboard, make a webhook to {address} and put its signing secret into MUX_WEBHOOK_SECRETS."
    if uploads is not None:
        return fail("last webhook", "None has ever arrived, although Mux has processed videos.", todo)
    return warn("last webhook", "None has arrived yet, and no video has been processed yet.", todo)


def _last(context: DoctorContext, age: float, kind: str) -> Line:
    """Silence is a fault only while Mux has something to say."""
    with context.connection() as connection:
        unheard = connection.scalar(
            select(func.count())
            .select_from(Tracking)
            .where(
                Tracking.ready_found_by == "sweep",
                Tracking.ready_at > func.clock_timestamp() - func.make_interval(0, 0, 0, 1),
            )
        )
    said = f"The last came {in_words(age)} ago ({mux_word(kind)})."
    if unheard and age > 3600:
        return fail(
            "last webhook",
            f"{said} Since yesterday {unheard} videos were found ready only by asking Mux.",
            f"In the Mux dashboard, check that the webhook points to {context.settings.public_url}{ADDRESS} and what it is answered.",
        )
    return ok("last webhook", said)


def _waiting(context: DoctorContext) -> Line:
    with context.connection() as connection:
        backlog = waiting_events.backlog(connection)
    if backlog.oldest_seconds < WAITS_SECONDS:
        return ok("waiting webhooks", f"{backlog.count:,} stored and not applied yet.")
    return fail(
        "waiting webhooks",
        f"{backlog.count:,} are stored and not applied; the oldest came {in_words(backlog.oldest_seconds)} ago.",
        "None is lost. Check that the clock is running (flask --app app clock) and what it logs; flask --app app sweep applies them now.",
    )


def mux_word(kind: str) -> str:
    """An event type, shortened to what may stand in a line."""
    return "".join(letter for letter in kind[:60] if letter.isalnum() or letter in "._-")


def _delay(delays: list[float]) -> Line:
    middle = delays[len(delays) // 2]
    said = f"Half of the latest {len(delays)} came within {max(0.0, middle):.1f} s, the slowest after {delays[-1]:.0f} s."
    if middle > LATE_SECONDS:
        return warn(
            "webhook delay",
            said,
            "Was this server down, or too slow? Mux repeats an event only after a failure.",
        )
    return ok("webhook delay", said)


def _environments(rows: list[Any]) -> Line:
    seen = Counter(row.environment_id for row in rows if row.environment_id)
    if len(seen) > 1:
        named = ", ".join(f"{mux_word(one)} ({count})" for one, count in seen.most_common(5))
        return warn(
            "environment",
            f"Events of {len(seen)} Mux environments come here: {named}.",
            "One installation belongs to one environment: remove the webhook in the others.",
        )
    return ok(
        "environment", f"All events are of one Mux environment ({mux_word(next(iter(seen), 'unnamed'))})."
    )


def _refused(context: DoctorContext) -> Line:
    with context.connection() as connection:
        rows = connection.execute(
            select(Rollup.label, func.sum(Rollup.count))
            .where(
                Rollup.figure == "rejected",
                Rollup.hour > func.clock_timestamp() - func.make_interval(0, 0, 0, 1),
            )
            .group_by(Rollup.label)
        ).all()
    refused = {str(label): int(count) for label, count in rows}
    total = sum(refused.values())
    if total <= MAX_REFUSED:
        return ok("refused webhooks", f"{total} within a day.")
    reasons = ", ".join(f"{mux_word(label)} {count}" for label, count in sorted(refused.items()))
    return warn(
        "refused webhooks",
        f"{total} within a day ({reasons}).",
        "mismatch: MUX_WEBHOOK_SECRETS lacks the secret of a webhook; stale or future: a clock is wrong; else: not from Mux.",
    )


def secrets(context: DoctorContext) -> list[Line]:
    """Which of the webhook secrets signed the last events? Shown by place and hint, never themselves."""
    ours = {
        mux.hint(secret): place for place, secret in enumerate(context.settings.mux_webhook_secrets, start=1)
    }
    count = len(context.settings.mux_webhook_secrets)
    rows, now = _latest(context)
    signed = [row for row in rows if row.secret_hint]
    if not signed:
        return [ok("webhook secrets", f"{count} configured; none was used yet.")]
    last = signed[0]
    when = f"{in_words((now - last.received_at).total_seconds())} ago"
    used = Counter(ours.get(row.secret_hint) for row in signed)
    place = ours.get(last.secret_hint)
    if place is None:
        return [
            warn(
                "webhook secrets",
                f"The last event ({when}) was signed by a secret (…{mux_word(last.secret_hint)}) that is not configured any more.",
                "If it was removed by mistake, add it to MUX_WEBHOOK_SECRETS again; if not, the next event will show it.",
            )
        ]
    said = f"Secret {place} of {count} (…{last.secret_hint}) signed the last event, {when}."
    idle = [str(one) for one in ours.values() if not used[one]]
    if idle:
        said += f" Secret {', '.join(idle)} signed none of the latest {len(signed)}: after a rotation it can be removed."
    return [ok("webhook secrets", said)]
