"""What an admin does for a person who has lost every factor: all of them are removed, and the password stays what it is.

Only this removes the factors of another person. Every session, pending sign-in and bearer token ends, and the owner is told.
"""

import uuid

from lessonadmin.domain.accounts import account_notices, administration, sessions, tokens
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import authenticator_app, factors, passkeys, pending, recovery_codes


def reset(by: User | None, user_id: uuid.UUID) -> User:
    """`by` is an admin, and never the account's owner; None is the command line."""
    user = administration.to_manage(by, user_id)
    had = factors.of(user.id)
    if not had.any:
        raise Conflict("no_factor", f"{user.email} has no second factor.")
    authenticator_app.remove(user)
    passkeys.remove_all(user)
    recovery_codes.remove(user)
    pending.end_all(user.id)
    sessions.end_all(user)
    tokens.end_all(user, because="second factor reset")
    audit_log.record("user.second_factor_reset", user, app=had.app, passkeys=had.passkeys)
    account_notices.second_factor_reset(user)
    return user
