"""Logs: one JSON line an event, or readable lines on a terminal, each with its request and who asked.

Text from outside never breaks a line, and what looks like a secret never leaves.
"""

import json
import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="-")
who: ContextVar[str] = ContextVar("who", default="-")

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
SECRETS = re.compile(r"(token=|Bearer |whsec_|Basic )[\w.\-~+/=%]+", re.IGNORECASE)
ROWS = re.compile(r"DETAIL: .*")  # PostgreSQL quotes the row that it refused


def scrub(text: str) -> str:
    """One line, without anything that opens a door."""
    return _hidden(text).replace("\r", "\\r").replace("\n", "\\n")


def _hidden(text: str) -> str:
    return ROWS.sub("DETAIL: [hidden]", SECRETS.sub(r"\1[secret]", text))


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
            "request_id": request_id.get(),
            "actor": who.get(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD}
        if record.exc_info:
            line["exception"] = _hidden(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


class Readable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extras = " ".join(f"{k}={v}" for k, v in vars(record).items() if k not in STANDARD)
        line = scrub(f"{at} {record.levelname:<7} {record.getMessage()} {extras}".rstrip())
        if record.exc_info:
            line += "\n" + _hidden(self.formatException(record.exc_info))
        return line


def init_app() -> None:
    """Send everything to standard error in the form that its reader needs."""
    handler = logging.StreamHandler(sys.stderr)
    readable = sys.stderr.isatty() or os.environ.get("LOG_STYLE") == "readable"
    handler.setFormatter(Readable() if readable else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("urllib3", "mux_python", "alembic", "rq.worker", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
