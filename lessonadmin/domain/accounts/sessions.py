"""Sessions: which user a secret belongs to, and their end. Secrets are stored as hashes only."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select, update

from lessonadmin.db import after_commit, db
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import User, UserSession
from lessonadmin.domain.models.accounts import STAFF, SignInWay
from lessonadmin.security import security_events

SESSION_LIFE = timedelta(hours=12)
STAFF_IDLE = timedelta(minutes=30)
SEEN_STEP = timedelta(minutes=1)
PROOF_LIFE = timedelta(minutes=10)
HISTORY = timedelta(days=30)
HISTORY_SHOWN = 50


def hashed(secret: str) -> str:
    """How session secrets and bearer tokens are stored: they are random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin(
    user: User, *, address: str, user_agent: str, way: SignInWay = "password", second_factor: bool = False
) -> str:
    """A new session; its secret can be read this once. `second_factor`: one was proved for it."""
    secret = secrets.token_urlsafe(32)
    db.session.add(
        UserSession(
            user_id=user.id,
            secret_hash=hashed(secret),
            address=address,
            user_agent=user_agent[:300],
            way=way,
            second_factor=second_factor,
            proved_at=func.clock_timestamp(),
        )
    )
    db.session.flush()
    return secret


def note_proof(session_id: uuid.UUID) -> None:
    """In this session its user has just proved again that it is they."""
    _set(session_id, proved_at=func.clock_timestamp())


def note_second_factor(session_id: uuid.UUID, proved: bool) -> None:
    """Is a second factor proved in this session?"""
    _set(session_id, second_factor=proved)


def _set(session_id: uuid.UUID, **columns: object) -> None:
    db.session.execute(update(UserSession).where(UserSession.id == session_id).values(columns))


def is_proved(session_id: uuid.UUID) -> bool:
    """Has its user proved lately that it is they, and not a person who found the browser open?"""
    lately = UserSession.proved_at > func.clock_timestamp() - PROOF_LIFE
    alive = UserSession.ended_at.is_(None)
    return bool(db.session.scalar(select(lately).where(UserSession.id == session_id, alive)))


def by_session(secret: str, *, seen: bool = True) -> tuple[User, UserSession] | None:
    """Whose session this is, while it lives: twelve hours for all, half an hour without a request for staff.

    `seen`: did a user send this request? A page that asks by itself is none, and keeps no session alive.
    """
    now = func.clock_timestamp()
    row = db.session.execute(
        select(UserSession, User, (UserSession.last_seen_at < now - SEEN_STEP).label("stale"))
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.secret_hash == hashed(secret),
            UserSession.ended_at.is_(None),
            UserSession.created_at > now - SESSION_LIFE,
            User.active,
            (User.role.not_in(STAFF)) | (UserSession.last_seen_at > now - STAFF_IDLE),
        )
    ).first()
    if row is None:
        return None
    session, user, stale = row
    if stale and seen:
        db.session.execute(
            update(UserSession)
            .where(UserSession.id == session.id)
            .values(last_seen_at=func.clock_timestamp())
        )
        db.session.commit()
    return user, session


def sign_out(user: User, session_id: uuid.UUID) -> None:
    """This one session is over, because its owner says so."""
    if _end(session_id) is not None:
        audit_log.record("user.signed_out", user)


def replace(session_id: uuid.UUID) -> None:
    """End this one session, of any user: another one signs in in its browser."""
    owner = _end(session_id)
    if owner is not None:
        audit_log.record_for("user.sessions_ended", "user", owner, sessions=1)


def _end(session_id: uuid.UUID) -> uuid.UUID | None:
    return db.session.scalar(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
        .returning(UserSession.user_id)
    )


def end_all(user: User, *, but: uuid.UUID | None = None, only: uuid.UUID | None = None) -> int:
    """Sign out elsewhere; each ended browser finds out at its next request. How many were ended."""
    ending = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    if but is not None:
        ending = ending.where(UserSession.id != but)
    if only is not None:
        ending = ending.where(UserSession.id == only)
    alive = UserSession.created_at > func.clock_timestamp() - SESSION_LIFE
    ended = db.session.execute(ending.values(ended_at=func.clock_timestamp()).returning(alive)).scalars()
    count = sum(ended)
    if count:
        audit_log.record("user.sessions_ended", user, sessions=count)
        after_commit(partial(security_events.record, "session_ended", user_id=user.id, sessions=count))
    return count


def open_ones(user: User) -> list[UserSession]:
    """The sessions that would still be let in, the latest seen first."""
    now = func.clock_timestamp()
    alive = [UserSession.ended_at.is_(None), UserSession.created_at > now - SESSION_LIFE]
    if user.is_staff:
        alive.append(UserSession.last_seen_at > now - STAFF_IDLE)
    return list(
        db.session.scalars(
            select(UserSession)
            .where(UserSession.user_id == user.id, *alive)
            .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        )
    )


def history(user: User) -> list[UserSession]:
    """Every sign-in of the last 30 days, the latest first: as long as ended sessions are kept."""
    return list(
        db.session.scalars(
            select(UserSession)
            .where(UserSession.user_id == user.id, UserSession.created_at > func.clock_timestamp() - HISTORY)
            .order_by(UserSession.id.desc())
            .limit(HISTORY_SHOWN)
        )
    )
