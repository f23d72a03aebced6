"""Settings, read once from the environment and checked whole.

Every missing or malformed setting is named in one message, so that a deployment is mended in one go.
This room never reads files, never talks to a server and knows nothing of Flask.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from urllib.parse import SplitResult, urlsplit

from lessonadmin import addresses, secret_strength

DEFAULT_UPLOAD_TYPES = "video/mp4,video/quicktime,video/webm,video/x-matroska,video/mpeg,video/x-msvideo"


class SettingsError(Exception):
    """The environment does not describe a working Lessonadmin; the text names everything that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field a setting, in lower case; the environment has the same name in upper case."""

    database_url: str
    redis_url: str
    secret_key: str
    public_url: str
    mux_token_id: str
    mux_token_secret: str
    mux_worker_token_id: str
    mux_worker_token_secret: str
    mux_webhook_secrets: tuple[str, ...]
    mux_api_url: str = "https://api.mux.com"
    mux_stream_url: str = "https://stream.mux.com"
    mux_image_url: str = "https://image.mux.com"
    mux_signing_key_id: str | None = None
    mux_signing_private_key: str | None = None
    upload_max_mb: int = 2000
    upload_types: tuple[str, ...] = tuple(DEFAULT_UPLOAD_TYPES.split(","))
    upload_timeout_seconds: int = 86400
    uploads_per_hour: int = 120
    asks_per_minute: int = 10
    mux_env_key: str | None = None
    stuck_after_seconds: int = 1800
    recheck_after_seconds: int = 60
    sweep_every_seconds: int = 30
    replaced_grace_seconds: int = 86400
    mail_url: str | None = None
    metrics_token: str | None = None
    trusted_proxies: addresses.Trusted = addresses.NOBODY
    sentry_dsn: str | None = None
    keep_days: tuple[tuple[str, int], ...] = ()
    mux_plan_limits: tuple[tuple[str, int], ...] = ()

    @property
    def https(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def mux_is_real(self) -> bool:
        """Do we talk to Mux itself, and not to a simulator or a recorder of calls?"""
        host = urlsplit(self.mux_api_url).hostname or ""
        return host == "mux.com" or host.endswith(".mux.com")

    @property
    def signs_playback(self) -> bool:
        return bool(self.mux_signing_key_id and self.mux_signing_private_key)

    @property
    def playback_policy(self) -> str:
        """The policy that new uploads ask for."""
        return "signed" if self.signs_playback else "public"


REQUIRED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "PUBLIC_URL",
    "MUX_TOKEN_ID",
    "MUX_TOKEN_SECRET",
    "MUX_WEBHOOK_SECRETS",
)
# name -> (smallest, largest) allowed; Mux itself refuses an upload life outside one minute to seven days
WHOLE_NUMBERS = {
    "UPLOAD_MAX_MB": (1, 10_000_000),
    "UPLOAD_TIMEOUT_SECONDS": (60, 604_800),
    "UPLOADS_PER_HOUR": (1, 1_000_000),
    "ASKS_PER_MINUTE": (1, 1_000_000),
    "STUCK_AFTER_SECONDS": (1, 31_536_000),
    "RECHECK_AFTER_SECONDS": (1, 86_400),
    "SWEEP_EVERY_SECONDS": (1, 3_600),
    "REPLACED_GRACE_SECONDS": (0, 31_536_000),
}
# What may be kept for a time of one's own, and the days that it must be kept at least: Mux repeats events for one day,
# and whoever wants to know who did what needs the audit trail for a year.
SHORTEST_LIVES = {
    "mux_events": 30,
    "mux_calls": 7,
    "audit_log": 365,
    "notifications": 30,
    "alarms": 30,
    "reconcile_runs": 7,
    "hourly_figures": 31,
    "upload_cancellations": 7,
}
# What a Mux plan may limit; Mux tells nobody how much is left, so whoever wants to be warned says what was bought.
PLAN_LIMITS = ("videos", "stored_minutes", "delivered_minutes")
ORIGINS = ("PUBLIC_URL", "MUX_API_URL", "MUX_STREAM_URL", "MUX_IMAGE_URL")
LISTS = ("MUX_WEBHOOK_SECRETS", "UPLOAD_TYPES")


def normalise_database_url(url: str) -> str:
    """Accept any driver suffix and name the one that we use: SQLAlchemy's own default has changed before."""
    match = re.match(r"^postgres(?:ql)?(?:\+\w+)?://", url)
    if match is None:
        raise ValueError("must look like postgresql://user:password@host/name")
    return "postgresql+psycopg://" + url[match.end() :]


def _has_sane_port(parts: SplitResult) -> bool:
    # The error of urlsplit quotes what stands there, which may be half a password.
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _origin(name: str, value: str) -> str:
    parts = urlsplit(value)
    sane = parts.scheme in ("http", "https") and parts.hostname and _has_sane_port(parts)
    # Browsers compare our own origin letter by letter; a Mux address may stand behind a path.
    bare = name != "PUBLIC_URL" or (parts.path in ("", "/") and "@" not in parts.netloc)
    if not sane or not bare or parts.query or parts.fragment:
        raise ValueError("must be an origin such as https://lessons.example.org")
    return value.rstrip("/")


def _whole_number(name: str, value: str) -> int:
    smallest, largest = WHOLE_NUMBERS[name]
    if not re.fullmatch(r"\d{1,12}", value) or not smallest <= int(value) <= largest:
        raise ValueError(f"must be a whole number from {smallest} to {largest}")
    return int(value)


def _items(value: str) -> tuple[str, ...]:
    items = tuple(item.strip() for item in value.split(",") if item.strip())
    if not items:
        raise ValueError("must have at least one entry, separated by commas")
    return items


def _redis_url(value: str) -> str:
    if urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must look like redis://host:6379/0")
    return value


def _mail_url(value: str) -> str:
    parts = urlsplit(value)
    schemes = ("smtp", "smtps", "smtp+insecure")
    if parts.scheme not in schemes or not parts.hostname or not _has_sane_port(parts):
        raise ValueError("must look like smtp://user:password@host:587")
    if parts.scheme == "smtp+insecure" and "@" in parts.netloc:
        raise ValueError(
            "must name no user with smtp+insecure://, since the password would travel in the clear"
        )
    return value


def _keep_days(value: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in _items(value):
        match = re.fullmatch(r"(\w+)\s*=\s*(\d{1,5})", item)
        if match is None or match[1] not in SHORTEST_LIVES:
            raise ValueError(
                "must look like mux_events=180,notifications=90; tables: " + ", ".join(SHORTEST_LIVES)
            )
        if int(match[2]) < SHORTEST_LIVES[match[1]]:
            raise ValueError(f"must keep {match[1]} for at least {SHORTEST_LIVES[match[1]]} days")
        found.append((match[1], int(match[2])))
    return tuple(found)


def _plan_limits(value: str) -> tuple[tuple[str, int], ...]:
    found = []
    for item in _items(value):
        match = re.fullmatch(r"(\w+)\s*=\s*([1-9]\d{0,11})", item)
        if match is None or match[1] not in PLAN_LIMITS:
            raise ValueError(
                "must look like videos=10,stored_minutes=5000; limits: " + ", ".join(PLAN_LIMITS)
            )
        found.append((match[1], int(match[2])))
    return tuple(found)


def _parse(name: str, value: str) -> object:
    if name == "KEEP_DAYS":
        return _keep_days(value)
    if name == "MUX_PLAN_LIMITS":
        return _plan_limits(value)
    if name == "DATABASE_URL":
        return normalise_database_url(value)
    if name == "REDIS_URL":
        return _redis_url(value)
    if name == "MAIL_URL":
        return _mail_url(value)
    if name in ORIGINS:
        return _origin(name, value)
    if name in WHOLE_NUMBERS:
        return _whole_number(name, value)
    if name == "TRUSTED_PROXIES":
        return addresses.trusted(_items(value))
    if name in LISTS:
        return _items(value)
    return value


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read every setting, or raise one SettingsError that names all that are missing or malformed."""
    given = {name: value for name in _names() if (value := environ.get(name, "").strip())}
    missing = [name for name in REQUIRED if name not in given]
    values: dict[str, object] = {}
    malformed = []
    for name, text in given.items():
        try:
            values[name.lower()] = _parse(name, text)
        except ValueError as error:
            malformed.append(f"{name} {error}")
    if bool(given.get("MUX_SIGNING_KEY_ID")) != bool(given.get("MUX_SIGNING_PRIVATE_KEY")):
        malformed.append("MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY must be set together")
    problems = []
    if missing:
        problems.append("missing settings: " + ", ".join(missing))
    problems += malformed
    if problems:
        raise SettingsError("Lessonadmin cannot start: " + "; ".join(problems) + ".")
    values.setdefault("mux_worker_token_id", values["mux_token_id"])
    values.setdefault("mux_worker_token_secret", values["mux_token_secret"])
    settings = Settings(**values)  # type: ignore[arg-type]  # each value was parsed by its own name above
    if weak := secret_strength.complaint(settings):
        raise SettingsError(f"Lessonadmin cannot start: {weak}.")
    return settings


def _names() -> tuple[str, ...]:
    return tuple(field.name.upper() for field in fields(Settings))


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process; create_app() does it once."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of this process."""
    if _current is None:
        raise RuntimeError("settings are asked for before create_app() has loaded them")
    return _current


@contextmanager
def overridden(**changes: object) -> Iterator[Settings]:
    """Other values for the length of a block (tests, trials); never used by the running product."""
    before = current()
    use(replace(before, **changes))  # type: ignore[arg-type]
    try:
        yield current()
    finally:
        use(before)
