"""The authenticator app of an account: its secret, and each code once.

The secret is sealed with SECRET_KEY and sealed anew with the present key whenever it is read. A code is compared under the lock of
the app's row, and only a later one than the last is right.
"""

import re
import uuid

from sqlalchemy import ColumnElement, Select, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db
from lessonadmin.domain.models import AuthenticatorApp, User
from lessonadmin.domain.second_factor import totp
from lessonadmin.security import sealing

CODE = re.compile(r"[0-9]{6}")


def plain(code: str) -> str:
    """A code as it is compared: apps show it with a gap, and people type one."""
    return re.sub(r"[\s-]", "", code)


def begin(user: User) -> None:
    """A new secret, which is asked for nowhere until it is confirmed; it takes the place of one that was not."""
    sealed = sealing.sealed(totp.new_secret(), of=_name(user.id))
    new = insert(AuthenticatorApp).values(user_id=user.id, sealed_secret=sealed)
    db.session.execute(
        new.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"sealed_secret": sealed, "last_step": 0, "created_at": func.clock_timestamp()},
            where=AuthenticatorApp.confirmed_at.is_(None),
        )
    )


def unconfirmed_secret(user: User) -> bytes | None:
    """The secret that is being set up; None once it is confirmed, and if there is none."""
    app = db.session.get(AuthenticatorApp, user.id, populate_existing=True)
    if app is None or app.confirmed_at is not None:
        return None
    try:
        return sealing.opened(app.sealed_secret, of=_name(user.id))
    except sealing.Unreadable:
        return None


def confirm(user: User, code: str) -> bool:
    """From now on the app counts, if this is a code of it."""
    return _take(user, code, confirmed=False)


def takes(user: User, code: str) -> bool:
    """Is this a code of the app that was not used yet? It is used now."""
    return _take(user, code, confirmed=True)


def _take(user: User, code: str, *, confirmed: bool) -> bool:
    app = _held(user)
    code = plain(code)
    if app is None or (app.confirmed_at is not None) is not confirmed or CODE.fullmatch(code) is None:
        return False
    try:
        secret = sealing.opened(app.sealed_secret, of=_name(user.id))
    except sealing.Unreadable:
        return False
    step = totp.step_of(secret, code, after=app.last_step)
    if step is None:
        return False
    app.last_step = step
    _seal_anew(app, secret)
    app.last_used_at = func.clock_timestamp()
    if not confirmed:
        app.confirmed_at = func.clock_timestamp()
    db.session.flush()
    return True


def _held(user: User) -> AuthenticatorApp | None:
    return db.session.get(AuthenticatorApp, user.id, populate_existing=True, with_for_update=True)


def remove(user: User) -> bool:
    """False if there was none that counted."""
    gone = db.session.execute(
        delete(AuthenticatorApp)
        .where(AuthenticatorApp.user_id == user.id)
        .returning(AuthenticatorApp.confirmed_at)
    ).first()
    return gone is not None and gone[0] is not None


def under_other_keys() -> Select[int, int]:
    """How many secrets are not sealed with the present SECRET_KEY, and of these, how many with none that is known."""
    stored = AuthenticatorApp.sealed_secret
    unknown = and_(*(~stored.startswith(f"{key}:") for key in sealing.known_keys()))
    return select(func.count(), func.count().filter(unknown)).where(_under_another_key())


def seal_all_anew() -> tuple[int, int]:
    """Every secret under the present SECRET_KEY: how many were not, and how many cannot be read any more."""
    sealed = unreadable = 0
    for app in db.session.scalars(select(AuthenticatorApp).where(_under_another_key()).with_for_update()):
        try:
            _seal_anew(app, sealing.opened(app.sealed_secret, of=_name(app.user_id)))
            sealed += 1
        except sealing.Unreadable:
            unreadable += 1
    db.session.flush()
    return sealed, unreadable


def _under_another_key() -> ColumnElement[bool]:
    return ~AuthenticatorApp.sealed_secret.startswith(f"{sealing.known_keys()[0]}:")


def _seal_anew(app: AuthenticatorApp, secret: bytes) -> None:
    if not sealing.is_under_present_key(app.sealed_secret):
        app.sealed_secret = sealing.sealed(secret, of=_name(app.user_id))


def _name(user_id: uuid.UUID) -> str:
    return f"authenticator app of {user_id}"
