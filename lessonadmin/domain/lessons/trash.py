"""The trash: deleted lessons and courses, kept for TRASH_DAYS with their videos, restored or ended for good.

What is deleted is a draft at once and its intent to publish is gone, held by a check of the database; from every result it is
left out by `models.in_trash`. An upload whose file is not at Mux is cancelled; whatever Mux has stays there, and
what Mux says of it is applied meanwhile, without publishing and without a notice.

A lesson comes back as it was: text, price, video, course and place in it. Restoring publishes nothing: what was published is a draft,
unless the person who restores it asks for the publication as well. The lessons of a course in the trash stay, without a course, and are in it again
once it is restored, if no other course has them by then. Restoring and emptying hold the row's lock: one of them wins.
"""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select, true, update

from lessonadmin import config
from lessonadmin.db import actor, db, later, transaction_time
from lessonadmin.domain import buyers, permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import purchases
from lessonadmin.domain.models import Kind, Lesson, Owner, Purchase, User, in_trash, owners
from lessonadmin.domain.videos import locking, publication, removal
from lessonadmin.domain.videos.locking import LockedVideo, Target
from lessonadmin.domain.videos.publication import Publication

MAX_AT_ONCE = 50


def put(video: LockedVideo) -> None:
    """Move a locked lesson or course into the trash; the caller has asked whether that may be."""
    owner = video.owner
    removal.cancel_uploads(video)
    if isinstance(owner, Lesson):
        owner.before_trash = publication.state_of(owner).as_json()
        publication.withdraw(owner, why="it was deleted")
    else:
        _take_lessons_out(owner)
    by = actor()
    owner.deleted_at, owner.deleted_by = transaction_time(), by.id if by.type == "user" else None
    owner.version += 1
    audit_log.record(
        f"{owner.kind}.deleted",
        owner,
        title=owner.title,
        instructor=str(owner.owner_id),
        kept_until=end_of(owner.deleted_at).isoformat(),
    )
    db.session.flush()


def _take_lessons_out(course: Owner) -> None:
    _set_course(Lesson.course_id == course.id, course_id=None, trashed_course_id=course.id)


def _put_lessons_back(course: Owner) -> None:
    _set_course(Lesson.trashed_course_id == course.id, course_id=course.id, trashed_course_id=None)


def _set_course(condition: ColumnElement[bool], **columns: uuid.UUID | None) -> None:
    """Also of lessons in the trash. Nothing else of them is changed, so their dates stay."""
    moved = update(Lesson).where(condition).values(**columns, updated_at=Lesson.updated_at)
    db.session.execute(moved.execution_options(synchronize_session="fetch"))


def end_of(deleted_at: datetime) -> datetime:
    """Until when it is kept."""
    return deleted_at + timedelta(days=config.current().trash_days)


def restore(user: User, kind: Kind, owner_id: uuid.UUID, *, publish: bool = False) -> Owner:
    """Take it out of the trash; Missing if it was emptied. Of two who do so the second changes nothing.

    `publish`: publish a lesson that was published when it was deleted, with the date that it had; its video must play.
    """
    video = _deleted(user, kind, owner_id)
    owner = video.owner
    if not video.in_trash:
        return owner
    owner.deleted_at = owner.deleted_by = None
    owner.version += 1
    audit_log.record(f"{kind}.restored", owner, title=owner.title)
    if isinstance(owner, Lesson):
        before = Publication.from_json(owner.before_trash or publication.state_of(owner).as_json())
        owner.before_trash = None
        _publish_as_before(owner, before, publish)
    else:
        _put_lessons_back(owner)
    db.session.flush()
    return owner


def restore_many(user: User, targets: Iterable[Target], *, publish: bool = False) -> list[Owner]:
    """Several together, all or none: those that are in the trash and theirs. Courses come first, so that lessons are in them again.

    `publish`: as well those that can be published again.
    """
    return [
        restore(user, kind, owner_id, publish=publish and can_publish(video.owner))
        for (kind, owner_id), video in _theirs_among(user, targets)
        if video.in_trash
    ]


def put_back(user: User, targets: Iterable[Target]) -> list[Owner]:
    """The undo of that: into the trash again, for the whole time. A lesson that was bought meanwhile is left out."""
    found = [
        video
        for _, video in _theirs_among(user, targets)
        if not video.in_trash and not buyers.count(video.owner.id)
    ]
    for video in found:
        permissions.still_theirs(video.owner)
        put(video)
    return [video.owner for video in found]


def _theirs_among(user: User, targets: Iterable[Target]) -> list[tuple[Target, LockedVideo]]:
    """Under their locks, in the one order. What is gone, or of another instructor, is left out."""
    permissions.teaches(user)
    permissions.acting_user()
    found = locking.lock_many(targets).videos
    return [(target, found[target]) for target in sorted(found) if permissions.is_theirs(found[target].owner)]


def can_publish(owner: Owner) -> bool:
    """Can it be published again by restoring it? It was published when it was deleted, and its video plays."""
    was = (owner.before_trash or {}).get("status") if isinstance(owner, Lesson) else None
    return was == "published" and owner.is_playable


def said_of(owner: Owner) -> str:
    """What a person is told who has restored it: as it is now, also if another press was quicker."""
    published = isinstance(owner, Lesson) and owner.status == "published"
    return f"“{owner.title}” is restored{' and published' if published else ''}."


def _publish_as_before(lesson: Lesson, before: Publication, publish: bool) -> None:
    """The intent waits again, if something that it waited for is still missing: a video that plays, or its time."""
    begins, ends = (_if_ahead(at) for at in (before.not_before, before.unpublish_at))
    if publish:
        if before.status != "published" or not lesson.is_playable:
            raise Conflict(
                "cannot_publish",
                "This lesson was not published when it was deleted, or its video does not play any more. Restore it as a draft.",
            )
        publication.restore(lesson, replace(before, not_before=None, unpublish_at=ends))
    elif before.publish_on_ready and ends == before.unpublish_at and (begins or not lesson.is_playable):
        publication.restore(lesson, Publication("draft", None, True, begins, ends))


def _if_ahead(at: datetime | None) -> datetime | None:
    return at if at is not None and at > transaction_time() else None


def _deleted(user: User, kind: Kind, owner_id: uuid.UUID) -> LockedVideo:
    owner = permissions.deleted_by_now(user, kind, owner_id)
    return locking.lock_video_of(owner, in_trash_too=True)


# Ended for good


def end(user: User, kind: Kind, owner_id: uuid.UUID) -> str:
    """A person does not wait for the end; its title. Missing if it is not in the trash any more."""
    video = _deleted(user, kind, owner_id)
    if not video.in_trash:
        raise Missing()
    title = video.owner.title
    _end(video)
    return title


def due() -> list[Target]:
    """What has been in the trash for TRASH_DAYS: a few, the oldest first. What a student has is never among them."""
    limit = later(-config.current().trash_days * 86_400)
    found: list[Target] = []
    for kind, model in owners.MODELS.items():
        bought = exists().where(Purchase.lesson_id == model.id, Purchase.is_in_force)
        old = select(model.id).where(model.deleted_at <= limit, ~bought if kind == "lesson" else true())
        first = old.order_by(model.deleted_at).limit(MAX_AT_ONCE - len(found))
        found += [(kind, one) for one in db.session.scalars(first, execution_options=in_trash.too())]
    return found


def end_if_due(target: Target) -> bool:
    """Under its lock, so that it is ended once; False if it was restored, ended or deleted anew since."""
    video = locking.lock_video(*target, in_trash_too=True)
    if video is None or video.owner.deleted_at is None:
        return False
    if end_of(video.owner.deleted_at) > transaction_time() or buyers.count(video.owner.id):
        return False
    _end(video)
    return True


def _end(video: LockedVideo) -> None:
    """Its row goes, and everything of it at Mux that nothing else uses. Revoked purchases stay without it."""
    owner = video.owner
    removal.give_up_all_assets(video)
    audit_log.record(
        f"{owner.kind}.deleted_permanently",
        owner,
        title=owner.title,
        instructor=str(owner.owner_id),
        revoked_purchases=(purchases.let_go(owner) or None) if isinstance(owner, Lesson) else None,
    )
    db.session.delete(owner)
    db.session.flush()
