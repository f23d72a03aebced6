"""What the probe found out, as it goes into a file that may be shown in public: no token, no address, no id.

Whatever is known to open or to name something is replaced by what it is; only headers that tell about the protocol are
kept. A question that brought no answer is kept with the reason.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lessonadmin.mux.errors import MuxError
from lessonadmin.observability.logs import scrub
from lessonadmin.outbound import Answer
from lessonadmin.text.texts import one_line, plain

MAX_WORDS = 500
MAX_BODY = 64 * 1024  # cut to words only when nothing secret is in it any more: half a secret is not found
MIN_SECRET = 6
MIN_PART = 16  # of an address: shorter ones are ordinary words
KEPT_HEADERS = ("range", "content-type", "content-length", "retry-after", "allow", "vary", "server", "date")
KEPT_PREFIXES = ("access-control-", "x-ratelimit-")


@dataclass
class Record:
    """Findings in the order in which they were asked for; `tell` hears a line of each."""

    tell: Callable[[str], None]
    findings: list[dict[str, Any]] = field(default_factory=list)
    _secrets: dict[str, str] = field(default_factory=dict)

    def hide(self, name: str, *texts: str | None) -> None:
        """From now on none of these is in the file; `name` stands in its place."""
        self._secrets |= {text: f"[{name}]" for text in texts if text and len(text) >= MIN_SECRET}

    def hide_address(self, name: str, address: str) -> None:
        """An address with its parts, since an answer may quote any of them."""
        parts = urlsplit(address)
        values = [*parts.path.split("/"), parts.query, *(value for _, value in parse_qsl(parts.query))]
        self.hide(name, address, *(one for one in values if len(one) >= MIN_PART))

    def masked(self, text: str) -> str:
        """One line without what is secret, and without any address."""
        return plain(self._without_secrets(text), max_length=MAX_WORDS)

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, self._secrets[secret])
        return text

    def note(self, question: str, found: object) -> None:
        """A finding that is no single answer."""
        self._add(question, {"found": found}, str(found))

    def ask(self, question: str, request: Callable[[], Answer], *, sent: str = "") -> Answer | None:
        """Make one request and keep its answer; None where none came."""
        began = time.monotonic()
        try:
            answer = request()
        except MuxError as error:
            words = self.masked(f"{error.category}: {error.message}")
            self._add(question, {"sent": sent, "no_answer": words}, words)
            return None
        self.keep(question, answer, sent=sent, ms=round((time.monotonic() - began) * 1000))
        return answer

    def keep(self, question: str, answer: Answer, *, sent: str = "", ms: int | None = None) -> None:
        """An answer that is there."""
        told = {
            "sent": sent,
            "status": answer.status,
            "headers": self._headers(answer.headers),
            "body": self.masked(answer.body[:MAX_BODY].decode("utf-8", "replace")),
            "ms": ms,
        }
        self._add(question, told, str(answer.status))

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        kept = {name.lower(): value for name, value in headers.items()}
        return {
            # the origins that are let in are addresses, and are what was asked for
            name: one_line(scrub(self._without_secrets(value)))[:MAX_WORDS]
            for name, value in sorted(kept.items())
            if name in KEPT_HEADERS or name.startswith(KEPT_PREFIXES)
        }

    def _add(self, question: str, found: dict[str, Any], said: str) -> None:
        self.findings.append({"question": question, **found})
        self.tell(f"{question}: {said}")
