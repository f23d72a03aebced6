"""Is this webhook from Mux? HMAC-SHA256 over the time and the raw bytes, by any of the secrets, within five minutes.

Mux's Python package has no verifier. This one is as strict as Mux's own and stricter in one thing: a time in the
future is refused as well. It never raises anything but BadSignature, whatever the header holds.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Literal

Reason = Literal["missing", "malformed", "stale", "future", "mismatch"]

MAX_HEADER_LENGTH = 4096
MAX_SIGNATURES = 16
SECONDS = re.compile(rb"[0-9]{1,12}")


class BadSignature(Exception):
    """The request is not from Mux, or not from now; `reason` is one of five words."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def _digest(secret: str, stamp: bytes, body: bytes) -> bytes:
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.new(key, stamp + b"." + body, hashlib.sha256).hexdigest().encode()


def _parts(header: str | bytes) -> tuple[bytes, list[bytes]]:
    """The time as it was written, and every signature of the known scheme."""
    raw = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    if len(raw) > MAX_HEADER_LENGTH:
        raise BadSignature("malformed")
    stamps, signatures = [], []
    for part in raw.split(b","):
        scheme, _, value = part.partition(b"=")
        if scheme == b"t":
            stamps.append(value)
        elif scheme == b"v1":
            signatures.append(value)
    if len(stamps) != 1 or SECONDS.fullmatch(stamps[0]) is None:
        raise BadSignature("malformed")
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise BadSignature("malformed")
    return stamps[0], signatures


def verify(
    header: str | bytes | None, body: bytes, secrets: Sequence[str], *, now: float, tolerance: int = 300
) -> str:
    """Raise BadSignature, or tell which secret matched, by a hint that does not give it away."""
    if not header or not header.strip():
        raise BadSignature("missing")
    stamp, signatures = _parts(header)
    matched = None
    for secret in secrets:
        expected = _digest(secret, stamp, body)
        # No early way out: how long it takes tells nothing about which secret or signature was near.
        agrees = [hmac.compare_digest(expected, given) for given in signatures]
        if secret and any(agrees):
            matched = matched or secret
    if matched is None:
        raise BadSignature("mismatch")
    age = now - int(stamp)
    if age > tolerance:
        raise BadSignature("stale")
    if age < -tolerance:
        raise BadSignature("future")
    return hint(matched)


def hint(secret: str) -> str:
    """A name for a secret that can stand in logs."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[-4:]
