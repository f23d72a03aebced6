"""What was refused, tries to come in, and what ends or takes much: one log line, one counter and one count for the alarms each.

The only writer of them. A line of the logger `lessonadmin.security` names the kind, the account (its id, or a keyed
hash of what was typed as its address), where the request came from and its id; never a password, a token or an address
that was typed. Counting is one small write every few seconds, however many there are.
"""

import hashlib
import hmac
import logging
import threading
import time
import uuid
from collections import Counter

from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import config, metrics
from lessonadmin.db import db
from lessonadmin.domain.audit import security_counts
from lessonadmin.observability import logs

log = logging.getLogger("lessonadmin.security")

# kind -> what staff read in the panel
KINDS = {
    "sign_in_failed": "Wrong address or password",
    "wrong_code": "Right password, wrong code",
    "passkey_refused": "A passkey that proved nothing",
    "passkey_copied": "A passkey whose counter went back",
    "single_sign_on_refused": "An answer of single sign-on that proved nothing",
    "locked_out": "Too many wrong tries, made to wait",
    "refused": "Signed in, but not allowed there",
    "csrf_refused": "A form without its secret (CSRF)",
    "bad_token": "An unknown token",  # the words for a kind # nosec B105
    "expired_token": "An ended token",  # the words for a kind # nosec B105
    "insufficient_scope": "A token that may only read",
    "temporary_password_ended": "An ended temporary password",  # the words for a kind # nosec B105
    "host_refused": "A wrong host name",
    "job_refused": "A job that is not Lessonadmin's",
    "exported": "A CSV file was taken",
    "session_ended": "A session was ended by a person",
    "token_ended": "An API token was ended",  # the words for a kind # nosec B105
}
# Of these a burst of one account is looked for; of the others the account stands in the log only.
BY_ACCOUNT = frozenset({"refused", "insufficient_scope", "exported"})
MAX_KEYS = 50
WRITE_EVERY_SECONDS = 5.0

_lock = threading.Lock()
_waiting: Counter[tuple[str, str]] = Counter()
_written_at = -WRITE_EVERY_SECONDS


def record(
    kind: str, *, email: str | None = None, user_id: uuid.UUID | None = None, **detail: object
) -> None:
    """Something of this kind has happened; it commits nothing of the caller's and never fails."""
    said = KINDS[kind]
    account = _account(email, user_id)
    metrics.security_events.labels(kind).inc()
    told = {"kind": kind, "account": account, "address": logs.address.get()}
    log.warning("%s", said, extra=told | detail)
    with _lock:
        key = (kind, account if kind in BY_ACCOUNT else "")
        _waiting[key if key in _waiting or len(_waiting) < MAX_KEYS else (kind, "")] += 1
    write_due()


def _account(email: str | None, user_id: uuid.UUID | None) -> str:
    """An account's id; of a typed address a hash, which tells two apart and cannot be read."""
    if user_id is not None:
        return f"user:{user_id}"
    if email is not None:
        key = hashlib.sha256(b"security events:" + config.current().secret_key.encode()).digest()
        typed = email.strip().lower().encode("utf-8", "replace")
        return f"typed:{hmac.new(key, typed, 'sha256').hexdigest()[:16]}"
    return logs.who.get()


def write_due() -> None:
    """Write what waits, if the last time is long enough ago; every request asks, so that nothing waits for long."""
    global _written_at
    if not _waiting:
        return
    with _lock:
        if not _waiting or time.monotonic() - _written_at < WRITE_EVERY_SECONDS:
            return
        _written_at = time.monotonic()
        waiting = dict(_waiting)
        _waiting.clear()
    try:
        # A connection of its own: whatever the caller has begun is neither committed nor spoilt by this.
        with db.engine.begin() as connection:
            security_counts.write(waiting, connection)
    except SQLAlchemyError as error:
        log.warning("security events could not be counted: %s", type(error).__name__)
