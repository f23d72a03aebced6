"""How the text of a setting is read: each function answers with the value, or raises ValueError with what the text must look like.

Which settings there are stands in `config`. Nothing in here quotes a value, since it may hold a secret.
"""

import re
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from lessonadmin.security import addresses

# The tables whose rows may be kept for another time, and the days that they are kept at least: Mux repeats events for
# one day, and the audit trail has to show a year.
MIN_KEEP_DAYS = {
    "mux_events": 30,
    "mux_calls": 7,
    "audit_log": 365,
    "notifications": 30,
    "alarms": 30,
    "reconcile_runs": 7,
    "hourly_figures": 31,
    "upload_cancellations": 7,
}
# What a Mux plan may limit. Mux's API does not say how much of it is left.
PLAN_LIMITS = ("videos", "stored_minutes", "delivered_minutes")


def database_url(url: str) -> str:
    """Any driver suffix is accepted and replaced by `psycopg`: SQLAlchemy's default driver has changed before."""
    match = re.match(r"^postgres(?:ql)?(?:\+\w+)?://", url)
    if match is None:
        raise ValueError("must look like postgresql://user:password@host/name")
    return "postgresql+psycopg://" + url[match.end() :]


def redis_url(value: str) -> str:
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must look like redis://host:6379/0")
    return value


def has_valid_port(parts: SplitResult) -> bool:
    # The error of urlsplit quotes what stands there, which may be half a password.
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def address(value: str) -> str:
    parts = urlsplit(value)
    valid = parts.scheme in ("http", "https") and parts.hostname and has_valid_port(parts)
    if not valid or parts.query or parts.fragment:
        raise ValueError("must be an origin such as https://lessons.example.org")
    return value.rstrip("/")


def origin(value: str) -> str:
    """An address without a path or a user: browsers compare the origin character by character."""
    found = address(value)
    parts = urlsplit(value)
    if parts.path not in ("", "/") or "@" in parts.netloc:
        raise ValueError("must be an origin such as https://lessons.example.org")
    return found


def mail_url(value: str) -> str:
    parts = urlsplit(value)
    schemes = ("smtp", "smtps", "smtp+insecure")
    if parts.scheme not in schemes or not parts.hostname or not has_valid_port(parts):
        raise ValueError("must look like smtp://user:password@host:587")
    if parts.scheme == "smtp+insecure" and "@" in parts.netloc:
        raise ValueError(
            "must name no user with smtp+insecure://, since the password would travel in the clear"
        )
    return value


def contact(value: str) -> str:
    """As security.txt writes it: a link; an address alone becomes one."""
    contact = f"mailto:{value}" if re.fullmatch(r"[^\s@:/]+@[^\s@:/]+", value) else value
    if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://\S+", contact):
        raise ValueError("must be an e-mail address, or a page that begins with https://")
    return contact


def whole_number(smallest: int, largest: int) -> BeforeValidator:
    """Digits only: pydantic's own int also takes `1.0`, `+5` and `1_000`."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,12}", value) or not smallest <= int(value) <= largest:
            raise ValueError(f"must be a whole number from {smallest} to {largest}")
        return int(value)

    return BeforeValidator(parse)


def items(value: str) -> tuple[str, ...]:
    items = tuple(item.strip() for item in value.split(",") if item.strip())
    if not items:
        raise ValueError("must have at least one entry, separated by commas")
    return items


def networks(value: str) -> addresses.Trusted:
    return addresses.trusted(items(value))


def keep_days(value: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in items(value):
        match = re.fullmatch(r"(\w+)\s*=\s*(\d{1,5})", item)
        if match is None or match[1] not in MIN_KEEP_DAYS:
            raise ValueError(
                "must look like mux_events=180,notifications=90; tables: " + ", ".join(MIN_KEEP_DAYS)
            )
        if int(match[2]) < MIN_KEEP_DAYS[match[1]]:
            raise ValueError(f"must keep {match[1]} for at least {MIN_KEEP_DAYS[match[1]]} days")
        found.append((match[1], int(match[2])))
    return tuple(found)


def plan_limits(value: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in items(value):
        match = re.fullmatch(r"(\w+)\s*=\s*([1-9]\d{0,11})", item)
        if match is None or match[1] not in PLAN_LIMITS:
            raise ValueError(
                "must look like videos=10,stored_minutes=5000; limits: " + ", ".join(PLAN_LIMITS)
            )
        found.append((match[1], int(match[2])))
    return tuple(found)


def one_of(*words: str) -> BeforeValidator:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("must be " + " or ".join(words))
        return value

    return BeforeValidator(parse)


def time_zone(value: str) -> ZoneInfo:
    """A name such as Europe/Berlin; names of files outside the data of time zones are refused by zoneinfo itself."""
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Berlin or UTC") from None
