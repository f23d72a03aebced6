"""How values are written for people: money, moments, lengths, sizes. Template filters, `currency()` and `trash_days()`; nothing is decided here."""

from datetime import UTC, date, datetime

from flask import Flask

from lessonadmin import config
from lessonadmin.domain import school_time
from lessonadmin.domain.prices import currency, money, price_text
from lessonadmin.text import markdown
from lessonadmin.text.durations import about, in_words, measured
from lessonadmin.text.plurals import plural
from lessonadmin.text.user_agents import browser


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(value: datetime) -> str:
    """`24 Nov 2026, 09:05 UTC`; in the browser it becomes the reader's own time."""
    at = value.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def clock(value: datetime) -> str:
    """`14:43:05 UTC`; in the browser it becomes the reader's own time."""
    return f"{value.astimezone(UTC):%H:%M:%S} UTC"


def exact(value: datetime) -> str:
    """`24 Nov 2026, 09:05:17 UTC`, where seconds tell what came first."""
    at = value.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def ago(value: datetime, *, now: datetime | None = None) -> str:
    """`3 minutes ago`, `in 2 hours`."""
    seconds = ((now or datetime.now(UTC)) - value).total_seconds()
    if abs(seconds) < 45:
        return "just now" if seconds >= 0 else "in a moment"
    words = in_words(abs(seconds), whole=round)
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def duration(seconds: float) -> str:
    """`1:05` or `1:02:05`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(count: int) -> str:
    """`1.4 GB`."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit in ("bytes", "kB") else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def day(value: date) -> str:
    """`24 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


def minutes(value: float) -> str:
    """`0.4`, `12`, `1,234`: with a decimal while it tells something."""
    return f"{value:,.1f}" if 0 < value < 9.95 else f"{value:,.0f}"


def trash_days() -> int:
    """How long the trash keeps, for the words before and after a deletion."""
    return config.current().trash_days


def init_app(app: Flask) -> None:
    for written in (
        money,
        price_text,
        iso,
        moment,
        clock,
        exact,
        ago,
        about,
        measured,
        duration,
        size,
        day,
        minutes,
        plural,
        browser,
    ):
        app.jinja_env.filters[written.__name__] = written
    app.jinja_env.filters["markdown"] = markdown.rendered
    app.jinja_env.filters["without_marks"] = markdown.plain
    app.jinja_env.filters["school_time"] = school_time.in_words
    app.jinja_env.globals["time_zone"] = school_time.zone_name
    for asked in (currency, trash_days):
        app.jinja_env.globals[asked.__name__] = asked
