"""What a user does about their own account: change the password, make a token, sign out everywhere.

Where the present password is typed, a wrong one counts as a wrong try to sign in, whatever happens to the rest; those functions
have transactions of their own. A slip in anything else never counts.
"""

import uuid
from contextlib import AbstractContextManager

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.accounts import sessions, sign_in, tokens, users
from lessonadmin.domain.models import User


def change_password(
    user: User, *, old: str, new: str, keep: uuid.UUID | None, address: str, browser: str = ""
) -> None:
    """Set a new password by the present one; `keep` is the session that goes on."""
    with proving(user, address, browser) as try_id, transaction(Actor.user(user.id)):
        users.change_password(user, old=old, new=new, keep=keep)
        sign_in.forgive(try_id)


def create_token(user: User, *, password: str, name: str, scope: str, address: str, browser: str = "") -> str:
    """A new bearer token by the present password; this is the only time that it can be read."""
    tokens.check_request(user, name=name, scope=scope)
    with proving(user, address, browser) as try_id, transaction(Actor.user(user.id)):
        token = tokens.create_by_password(user, password=password, name=name, scope=scope)
        sign_in.forgive(try_id)
    return token


def sign_out_everywhere(user: User) -> None:
    """End every session and revoke every bearer token."""
    sessions.end_all(user)
    tokens.end_all(user, because="signed out everywhere")


def proving(user: User, address: str, browser: str) -> AbstractContextManager[uuid.UUID]:
    """Around whatever asks for the present password; what ends it by an error counts as a wrong try."""
    return sign_in.counted_try(email=user.email, address=address, browser=browser)
