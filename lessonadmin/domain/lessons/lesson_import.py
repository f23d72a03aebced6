"""Import lessons from a file, one line a transaction: the instructor must have an account, Mux must have the asset.

Safe to repeat: a lesson is recognised by its asset, or without one by instructor, course and title, and what exists is
never overwritten. Nothing is taken from the file that Mux does not confirm; a line is done whole or not at all.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exists, func, select

from lessonadmin import config, mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.accounts import users
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.lessons.import_file import Row
from lessonadmin.domain.lessons.lessons import UNSET, Changes
from lessonadmin.domain.lessons.sections import editing
from lessonadmin.domain.models import Course, Lesson, Tracking, User
from lessonadmin.domain.uploads import assign_asset
from lessonadmin.domain.videos import locking, publication

Result = Literal["updated", "skipped", "failed"]
LOCK = 0x1E550C  # any number, the same in every process
MAX_ATTEMPTS = 3
PAUSE_SECONDS = 2.0
THERE = "it is there already"


@dataclass(frozen=True)
class Outcome:
    """What became of one line, or would."""

    row: Row
    result: Result
    reason: str
    lesson_id: uuid.UUID | None = None


class Stopped(Exception):
    """Mux cannot be asked: the rest of the file is for another run."""


class _No(Exception):
    """This line is not taken in; the others are."""

    def __init__(self, reason: str, *, result: Result = "failed", lesson_id: uuid.UUID | None = None) -> None:
        super().__init__(reason)
        self.reason, self.result, self.lesson_id = reason, result, lesson_id


def take_in(row: Row, *, actor: Actor, dry_run: bool) -> Outcome:
    """Make the lesson of one line, and its course and section if there are none of these titles. Raises Stopped."""
    try:
        instructor = _instructor(row.instructor)
        waiting = _look_for(row, instructor.id)
        db.session.rollback()  # no transaction stays open while Mux is asked
        asset = _asset(row.asset_id) if row.asset_id else None
        chosen = _way_to_play(asset) if asset is not None else None
        if dry_run:
            return Outcome(row, "updated", _said(row, asset, waiting is not None))
        with transaction(actor):
            lesson = _write(row, asset, chosen)
        return Outcome(row, "updated", _said(row, asset, waiting is not None), lesson.id)
    except _No as no:
        return Outcome(row, no.result, no.reason, no.lesson_id)
    except Problem as problem:
        return Outcome(row, "failed", problem.message)
    finally:
        db.session.rollback()


def _instructor(email: str) -> User:
    user = users.find_by_email(email)
    if user is None:
        raise _No("no account has this e-mail address")
    if not user.active:
        raise _No("the account of this instructor is disabled")
    if user.role == "student":
        raise _No("this is a student, who has no lessons")
    return user


def _look_for(row: Row, instructor_id: uuid.UUID) -> Lesson | None:
    """The lesson that this line is for, if it waits for its video; raises _No if there is nothing to do."""
    if row.asset_id:
        _refuse_asset_of_another(row.asset_id, instructor_id)
    found = db.session.scalars(
        select(Lesson)
        .outerjoin(Course, Course.id == Lesson.course_id)
        .where(
            Lesson.creator_id == instructor_id,
            Lesson.title == row.title,
            func.coalesce(Course.title, "") == row.course,
        )
        .order_by(Lesson.id)
        .execution_options(populate_existing=True)
    ).all()
    if row.asset_id:
        return next((lesson for lesson in found if not _has_video(lesson)), None)
    if found:
        raise _No(THERE, result="skipped", lesson_id=found[0].id)
    return None


def _refuse_asset_of_another(asset_id: str, instructor_id: uuid.UUID) -> None:
    """One lesson an asset: two would lose their video together."""
    for kind, owner_id in locking.owners_with_asset(asset_id):
        owner = locking.find_owner(kind, owner_id)
        if owner is None:
            continue
        if kind == "lesson" and owner.owner_id == instructor_id and owner.mux_asset_id == asset_id:
            raise _No(THERE, result="skipped", lesson_id=owner.id)
        raise _No(f"the asset is used by the {kind} {owner_id}")


def _has_video(lesson: Lesson) -> bool:
    uploads = exists().where(Tracking.lesson_id == lesson.id, Tracking.is_current)
    return bool(lesson.mux_asset_id or lesson.mux_playback_id or db.session.scalar(select(uploads)))


def _asset(asset_id: str) -> mux.Asset:
    """What Mux says about it, within the share of background work; a Mux that is away is tried again, then left."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        if not mux_budget.wait():
            raise Stopped(mux_budget.CLOSED)
        try:
            asset = mux.get_asset(asset_id, priority="low")
        except mux.Gone:
            raise _No("Mux has no such asset") from None
        except mux.MuxError as error:
            mux_budget.went_wrong(error)
            if error.category == "not_found":
                raise _No("Mux has no such asset") from None
            if error.kind == "refused" or attempt == MAX_ATTEMPTS:
                raise Stopped(f"{error.category}: {error.message}") from error
            time.sleep(PAUSE_SECONDS)
        else:
            mux_budget.went_well()
            return asset
    raise AssertionError("the last try has answered or stopped")


def _way_to_play(asset: mux.Asset) -> mux.PlaybackId:
    """By the policy that is configured; a signed one plays only where the keys are."""
    if asset.status == "errored":
        raise _No(f"the asset failed at Mux. {asset.error_message or ''}".strip())
    wanted = config.current().playback_policy
    usable = ("signed", "public") if wanted == "signed" else ("public",)
    for policy in usable:
        found = next((one for one in asset.playback_ids if one.policy == policy), None)
        if found is not None:
            return found
    if any(one.policy == "signed" for one in asset.playback_ids):
        raise _No("the asset plays by signed ids only, and no signing key is set")
    raise _No("the asset has no playback id that can be used here")


def _write(row: Row, asset: mux.Asset | None, chosen: mux.PlaybackId | None) -> Lesson:
    """One import writes at a time, so that what was looked for is not made twice."""
    db.session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    instructor = _instructor(row.instructor)
    lesson = _look_for(row, instructor.id)
    if lesson is None:
        course = _course(row, instructor) if row.course else None
        section = editing.find_or_add(instructor, course.id, row.section) if course and row.section else None
        changes = Changes(
            title=row.title,
            description=row.description,
            price_cents=row.price_cents,
            course_id=course.id if course else UNSET,
            status=row.status,
        )
        lesson = lessons.create(instructor, changes)
        lesson.section_id = section.id if section else None
    if asset is not None and chosen is not None:
        video = locking.lock_video_of(lesson)
        if row.status == "published":
            publication.request(lesson)
        audit_log.record_mux_call("lesson", lesson.id, "get_asset", "ok", "named by an import")
        assign_asset.take_over(video, asset, chosen)
    return lesson


def _course(row: Row, instructor: User) -> Course:
    """One that has a language keeps it, whatever the line says."""
    known = select(Course).where(Course.instructor_id == instructor.id, Course.title == row.course)
    found = db.session.scalars(known.order_by(Course.created_at, Course.id).limit(1)).first()
    if found is None:
        return courses.create(instructor, Changes(title=row.course, language=row.language))
    if row.language and found.language is None:
        return courses.edit(instructor, found.id, Changes(language=row.language))
    return found


def _said(row: Row, asset: mux.Asset | None, waiting: bool) -> str:
    what = "its video was taken in" if waiting else "made"
    if asset is None:
        return f"{what}, without a video"
    if asset.status != "ready":
        return f"{what}; Mux still prepares the video, which is watched from now on"
    return f"{what} and published" if row.status == "published" else f"{what}, a draft"
