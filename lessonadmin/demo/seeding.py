"""Makes the demo school. Made twice it is made once: what is there stays, and the accounts get new passwords.

Never for Mux itself, never for a school with other people unless Mux is simulated, and no other account is touched.
"""

import logging
import secrets
import urllib.error
import urllib.request
from importlib import resources
from urllib.parse import urlsplit

from sqlalchemy import select, text, update

from lessonadmin import config
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.demo import figures
from lessonadmin.demo.school import ACCOUNTS, COURSES, INSTRUCTOR, LESSONS, DemoLesson
from lessonadmin.domain.accounts import demo_accounts, users
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.models import Lesson, Tracking, User
from lessonadmin.domain.uploads import direct_upload

log = logging.getLogger(__name__)

UPLOAD_SECONDS = 20


class NotHere(Exception):
    """A demo would do harm here; the text says why."""


def seed() -> list[tuple[str, str, str]]:
    """The accounts as (e-mail, password, role); raises NotHere before anything is made."""
    _refuse_a_real_school()
    with transaction(CLI):
        accounts = [(account.email, _account(account.email, account.name, account.role), account.role)
                    for account in ACCOUNTS]  # fmt: skip
    instructor = users.find_by_email(INSTRUCTOR)
    if (
        instructor is not None
        and db.session.scalar(select(Lesson.id).where(Lesson.creator_id == instructor.id)) is None
    ):
        _teach(instructor)
    return accounts


def _refuse_a_real_school() -> None:
    """An admin with a well-known password, beside real users or with a real account at Mux."""
    if config.current().mux_is_real:
        raise NotHere("Mux is the real one, and demo accounts are for a simulator")
    others = db.session.execute(demo_accounts.count_of_others()).scalar_one()
    db.session.rollback()
    if others and not _mux_is_simulated():
        raise NotHere("users holds people who are not the demo's, and Mux is not the simulator")


def _account(email: str, name: str, role: str) -> str:
    user = users.find_by_email(email)
    if user is not None:
        return users.reset_password(user, temporary=False)
    password = secrets.token_urlsafe(9)
    users.create_user(email=email, role=role, name=name, password=password)
    return password


def _teach(instructor: User) -> None:
    with transaction(Actor.user(instructor.id)):
        made = {
            title: courses.create(instructor, lessons.Changes(title=title, description=said))
            for title, said in COURSES.items()
        }
    lessons_made = []
    for one in LESSONS:
        course = made.get(one.course or "")
        with transaction(Actor.user(instructor.id)):
            lesson = lessons.create(
                instructor,
                lessons.Changes(
                    title=one.title,
                    description=one.description,
                    price_cents=one.price_cents,
                    course_id=course.id if course is not None else None,
                    status="draft" if one.stays_draft else "published",
                ),
            )
        if one.video != "none" and _mux_is_simulated():
            _film(one, lesson, instructor)
        lessons_made.append((one, lesson))
    if _mux_is_simulated():
        with transaction(CLI):
            figures.plant(lessons_made)


def _mux_is_simulated() -> bool:
    return urlsplit(config.current().mux_api_url).hostname in ("127.0.0.1", "localhost", "::1")


def _film(one: DemoLesson, lesson: Lesson, instructor: User) -> None:
    """Upload the video that this demo lesson needs; without a simulator it has no video."""
    file = direct_upload.File(name="lesson.mp4", content_type="video/mp4")
    try:
        ticket = direct_upload.start(lesson, file, actor=Actor.user(instructor.id))
    except Problem as problem:
        log.warning("no demo video for %s: %s", one.title, problem.message)
        return
    if one.video == "abandoned":
        _make_old(ticket.upload_id)
        return
    sample = resources.files("lessonadmin.demo").joinpath("sample.mp4").read_bytes()
    body = sample if one.video == "plays" else b"This is a shopping list, not a video. " * 40
    request = urllib.request.Request(  # noqa: S310  # an address on this machine, see _mux_is_simulated
        ticket.upload_url, data=body, method="PUT", headers={"Content-Type": "video/mp4"}
    )
    try:
        urllib.request.urlopen(request, timeout=UPLOAD_SECONDS).close()  # noqa: S310  # the same address # nosec B310
    except urllib.error.URLError as error:
        log.warning("no demo video for %s: %s", one.title, error)


def _make_old(upload_id: str) -> None:
    """The instructor closed the tab hours ago: the lesson that support is asked about."""
    with transaction(CLI):
        db.session.execute(
            update(Tracking)
            .where(Tracking.upload_id == upload_id)
            .values(created_at=text("clock_timestamp() - interval '3 hours'"))
        )
