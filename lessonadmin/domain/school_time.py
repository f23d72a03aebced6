"""Moments in the school's time zone (TIME_ZONE), as forms take them and people read them.

Everything is stored and compared as a moment; nothing in here decides what happens at one.
"""

from datetime import UTC, date, datetime, timedelta

from lessonadmin import config
from lessonadmin.domain.errors import Invalid

FORM = "%Y-%m-%dT%H:%M"  # of <input type="datetime-local">
MAX_AHEAD = timedelta(days=5 * 366)


def zone_name() -> str:
    """As people know it: `Europe/Berlin`, `UTC`."""
    return config.current().time_zone.key


def day(moment: datetime) -> date:
    """The school's day on which this is. One on which the clocks are put back is as long as it is."""
    return moment.astimezone(config.current().time_zone).date()


def for_form(moment: datetime | None) -> str:
    """What the field of a form shows."""
    return moment.astimezone(config.current().time_zone).strftime(FORM) if moment is not None else ""


def in_words(moment: datetime) -> str:
    """`30 Nov 2026, 18:05 (Europe/Berlin)`; in an hour that a clock shows twice, with the distance to UTC."""
    zone = config.current().time_zone
    at = moment.astimezone(zone)
    twice = at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset()
    apart = f", UTC{at:%z}" if twice else ""
    return f"{at.day} {at:%b %Y, %H:%M} ({zone.key}{apart})"


def read(field: str, text: str | None) -> datetime | None:
    """The moment that was typed, or None; raises Invalid for what is no moment.

    Of a time that a clock shows twice in the night in which it goes back, it is the first.
    """
    typed = (text or "").strip()
    if not typed:
        return None
    zone = config.current().time_zone
    try:
        shown = datetime.strptime(typed[:16].replace(" ", "T"), FORM).replace(
            tzinfo=zone
        )  # some browsers add seconds
        found = shown.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid.field(field, "Enter a day and a time, such as 2026-11-30 18:00.") from None
    if found.astimezone(zone).replace(tzinfo=None) != shown.replace(tzinfo=None):
        raise Invalid.field(
            field,
            f"There is no {shown:%H:%M} on that day: the clocks go forward in {zone.key}. Enter another time.",
        )
    return found
