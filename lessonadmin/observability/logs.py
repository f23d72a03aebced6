"""Logs: one JSON line an event, or readable lines on a terminal, each with its request and who asked.

Text from outside never breaks a line and never moves a terminal, and what looks like a secret never leaves.
"""

import json
import logging
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType

from lessonadmin.observability import traces
from lessonadmin.security import hiding
from lessonadmin.text.texts import visible

request_id: ContextVar[str] = ContextVar("request_id", default="-")
who: ContextVar[str] = ContextVar("who", default="-")
address: ContextVar[str] = ContextVar("address", default="-")

to_json = json.JSONEncoder(ensure_ascii=False).encode
SHORT = 60
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def scrub(text: str) -> str:
    """One line, without anything that gives access, names a person or controls a terminal."""
    return _scrub_short(text) if len(text) <= SHORT else visible(_hidden(text))


@lru_cache(maxsize=512)
def _scrub_short(text: str) -> str:
    # Most lines are made of the same few texts: names, addresses, paths of pages.
    return visible(_hidden(text))


def _hidden(text: str) -> str:
    return hiding.people(hiding.secrets(text))


def _scrubbed(value: object) -> object:
    """A value beside the message, the same."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {scrub(str(name)): _scrubbed(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(one) for one in value]
    return scrub(str(value))


def scrubbed_trace(text: str) -> str:
    """The same with its line breaks, for a trace."""
    return visible(_hidden(text), breaks=True)


def _exception(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    return scrubbed_trace(traces.told(error, traces.with_words)) if error is not None else None


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
            "request_id": request_id.get(),
            "actor": who.get(),
            "address": address.get(),
        }
        line |= {key: _scrubbed(value) for key, value in vars(record).items() if key not in STANDARD}
        exception = _exception(record)
        if exception is not None:
            line["exception"] = exception
        return to_json(line)


class Readable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extras = " ".join(f"{k}={v}" for k, v in vars(record).items() if k not in STANDARD)
        line = scrub(f"{at} {record.levelname:<7} {record.getMessage()} {extras}".rstrip())
        exception = _exception(record)
        return line if exception is None else f"{line}\n{exception}"


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The trace of a command that broke off, scrubbed like everything else."""
    if not isinstance(error, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(scrubbed_trace(traces.told(error, traces.with_words)) + "\n")


def init_app() -> None:
    """Send everything to standard error in the form that its reader needs."""
    sys.excepthook = _uncaught
    handler = logging.StreamHandler(sys.stderr)
    readable = sys.stderr.isatty() or os.environ.get("LOG_STYLE") == "readable"
    handler.setFormatter(Readable() if readable else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("urllib3", "mux_python", "alembic", "rq.worker", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
