"""Codes of authenticator apps (RFC 6238: SHA-1, six digits, thirty seconds). Pure: it knows no account."""

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import quote, urlencode

DIGITS = 6
STEP_SECONDS = 30
DRIFT = 1  # a code of the step before and of the one after is taken
SECRET_BYTES = 20


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_of(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_at(seconds: float) -> int:
    return int(seconds) // STEP_SECONDS


def step_of(secret: bytes, code: str, *, after: int, now: float | None = None) -> int | None:
    """The step whose code this is, if it is about now and later than `after`; None for any other code."""
    here = step_at(time.time() if now is None else now)
    found = None
    for step in range(here - DRIFT, here + DRIFT + 1):
        # every one is compared, so that the time tells nothing
        if hmac.compare_digest(code_of(secret, step), code) and step > after:
            found = step
    return found


def typed(secret: bytes) -> str:
    """The key as it is typed into an app."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, *, account: str, issuer: str) -> str:
    """What the picture says that an app reads."""
    label = quote(f"{issuer}:{account}", safe="")
    key = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{label}?" + urlencode({"secret": key, "issuer": issuer}, quote_via=quote)
