"""Rows for tests, each whole and plausible without any argument: `make_lesson(price_cents=900)`.

What is asked for is committed at once, in one transaction of the command line's, unless the test has one open: then it is
part of that.
They need the `app` fixture (`client` and `session` have it) but no open context. Factories write rows, not histories: a
video that plays is a tracking row and the columns it would have left on its lesson, as the product writes them.
"""

import itertools
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from flask import Flask, has_app_context
from flask.testing import FlaskClient

from lessonadmin.db import CLI, NoTransaction, actor, db, transaction
from lessonadmin.domain.accounts import passwords, sessions, tokens
from lessonadmin.domain.models import (
    AuthenticatorApp,
    Course,
    CourseSection,
    Lesson,
    LessonView,
    MuxEvent,
    Purchase,
    Tracking,
    User,
)
from lessonadmin.domain.second_factor import authenticator_app, passkeys, recovery_codes, totp
from tests.authenticator import Authenticator

PASSWORD = "a good long password"
Row = TypeVar("Row")

# set by the `app` fixture
application: Flask | None = None
_numbers = itertools.count(1)


@contextmanager
def in_context() -> Iterator[None]:
    """Inside the test's application context, or one of its own when the test has none."""
    if has_app_context():
        yield
        return
    assert application is not None, "this test needs the fixture app, client or session"
    with application.app_context():
        yield


@contextmanager
def together() -> Iterator[None]:
    """What is made within is one transaction, or a part of the one that the test has open."""
    with in_context():
        try:
            actor()
        except NoTransaction:
            with transaction(CLI):
                yield
        else:
            yield


def keep(row: Row) -> Row:
    """Add a row; it is committed at once, or at the end of `together`, or with the transaction that the test has open."""
    with together():
        db.session.add(row)
        db.session.flush()
    return row


@cache
def _hashed(password: str, hasher: PasswordHasher) -> str:
    # once for each of the hashers between which tests choose
    return hasher.hash(password)


def make_user(*, role: str = "instructor", password: str = PASSWORD, **columns: object) -> User:
    """An account; its password is PASSWORD."""
    number = next(_numbers)
    columns = {"email": f"{role}{number}@school.example", "name": f"{role.title()} {number}", **columns}
    columns.setdefault("password_hash", _hashed(password, passwords._argon2))
    return keep(User(role=role, **columns))


@together()
def make_course(*, instructor: User | None = None, **columns: object) -> Course:
    instructor = instructor or make_user()
    columns = {"title": f"Course {next(_numbers)}", **columns}
    return keep(Course(instructor_id=instructor.id, **columns))


def make_section(course: Course, **columns: object) -> CourseSection:
    columns = {"title": f"Section {next(_numbers)}", "position": next(_numbers), **columns}
    return keep(CourseSection(course_id=course.id, **columns))


@together()
def make_lesson(*, creator: User | None = None, course: Course | None = None, **columns: object) -> Lesson:
    """A draft without a video."""
    creator = creator or make_user()
    columns = {"title": f"Lesson {next(_numbers)}", "course_id": course.id if course else None, **columns}
    return keep(Lesson(creator_id=creator.id, **columns))


def make_tracking(owner: Lesson | Course, **columns: object) -> Tracking:
    """An upload of this lesson or course whose bytes are not in yet; the owner's own columns are left alone."""
    column = "lesson_id" if isinstance(owner, Lesson) else "course_id"
    columns = {"upload_id": f"upload{next(_numbers)}", "filename": "talk.mp4", **columns}
    return keep(Tracking(owner_id=owner.owner_id, **{column: owner.id}, **columns))


@together()
def make_playing_lesson(*, creator: User | None = None, **columns: object) -> Lesson:
    """A published lesson whose video plays, with the upload that goes with it; what is taken from the lesson (None) the
    upload still has."""
    number = next(_numbers)
    ids = {
        "mux_asset_id": f"asset{number}",
        "mux_playback_id": f"playback{number}",
        "playback_policy": "public",
    }
    state = {"status": "published", "published_at": datetime.now(UTC), "video_processing_status": "ready"}
    lesson = make_lesson(creator=creator, **{"video_duration": 61.0, **ids, **state, **columns})
    length = lesson.video_duration
    theirs = {name: columns.get(name) or value for name, value in ids.items()}
    make_tracking(lesson, status="ready", ready_at=datetime.now(UTC), duration=length, **theirs)
    return lesson


def make_purchase(lesson: Lesson, buyer: User) -> Purchase:
    return keep(
        Purchase(
            lesson_id=lesson.id,
            user_id=buyer.id,
            owner_id=lesson.creator_id,
            price_cents=lesson.price_cents,
        )
    )


def make_view(lesson: Lesson, day: date = date(2026, 11, 20), **columns: object) -> LessonView:
    """What was watched of a lesson on a day: a minute."""
    columns = {"mux_asset_id": f"watched{next(_numbers)}", "seconds": 60.0, **columns}
    return keep(LessonView(lesson_id=lesson.id, owner_id=lesson.creator_id, day=day, **columns))


def make_event(*, type: str = "video.asset.ready", **columns: object) -> MuxEvent:  # noqa: A002 - the column's name
    columns = {"mux_event_id": str(uuid.uuid4()), "payload": {"type": type}, **columns}
    return keep(MuxEvent(type=type, **columns))


def make_token(user: User, *, scope: str = "write") -> str:
    """A bearer token."""
    with in_context(), transaction(CLI):
        return tokens.create(db.session.get_one(User, user.id), scope=scope)


def bearer(user: User, *, scope: str = "write") -> dict[str, str]:
    """The headers that a script of this user's sends."""
    return {"Authorization": f"Bearer {make_token(user, scope=scope)}"}


def signed_in(user: User) -> FlaskClient:
    """A browser in which this user (with PASSWORD) has signed in, by the session that the sign-in page would make."""
    assert application is not None, "this test needs the fixture app, client or session"
    with in_context(), transaction(CLI):
        secret = sessions.begin(user, address="127.0.0.1", user_agent="tests")
    browser = application.test_client()
    with browser.session_transaction() as session:
        session["secret"] = secret
        session.permanent = True
    return browser


def give_app(user: User) -> bytes:
    """An authenticator app for this account, confirmed; the answer is its secret, for codes. No recovery codes."""
    with in_context(), transaction(CLI):
        found = db.session.get_one(User, user.id)
        authenticator_app.begin(found)
        secret = authenticator_app.unconfirmed_secret(found)
        assert secret is not None
        db.session.get_one(AuthenticatorApp, user.id).confirmed_at = datetime.now(UTC)
    return secret


def give_recovery_codes(user: User) -> list[str]:
    with in_context(), transaction(CLI):
        return recovery_codes.make(db.session.get_one(User, user.id))


def code_now(secret: bytes, *, steps: int = 0) -> str:
    """The code that an app shows now, or showed or will show some steps from now."""
    return totp.code_of(secret, totp.step_at(time.time()) + steps)


def give_passkey(user: User, *, name: str = "My phone", counts: bool = True) -> Authenticator:
    """A passkey for this account; the answer is the device that has its private half. No recovery codes."""
    device = Authenticator(counts=counts)
    with in_context(), transaction(CLI):
        found = db.session.get_one(User, user.id)
        challenge = secrets.token_bytes(32)
        made = device.make(passkeys.options_to_add(found, challenge))
        passkeys.add(found, made, challenge, name=name)
    return device
