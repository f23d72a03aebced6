"""What is in the trash, for tests: moved there by its instructor, read as it stands, and ended as the clock ends it."""

from typing import TypeVar

from sqlalchemy import func, select, text, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.lessons import courses, lessons, trash
from lessonadmin.domain.models import Course, Lesson, User, in_trash

Owner = TypeVar("Owner", Lesson, Course)


def instructor_of(owner: Lesson | Course) -> User:
    return db.session.get_one(User, owner.owner_id)


def delete(owner: Lesson | Course, *, by: User | None = None) -> None:
    """By its instructor, into the trash."""
    user = by or instructor_of(owner)
    with transaction(Actor.user(user.id)):
        (lessons if isinstance(owner, Lesson) else courses).delete(user, owner.id)


def end(owner: Lesson | Course, *, by: User | None = None) -> None:
    """Out of the trash and for good, by its instructor."""
    user = by or instructor_of(owner)
    with transaction(Actor.user(user.id)):
        trash.end(user, owner.kind, owner.id)


def delete_for_good(owner: Lesson | Course) -> None:
    delete(owner)
    end(owner)


def stored(owner: Owner) -> Owner | None:
    """Its row as it is now, in the trash or not; None if it is gone."""
    db.session.rollback()
    model = type(owner)
    found = select(model).where(model.id == owner.id)
    return db.session.scalar(found.execution_options(populate_existing=True, **in_trash.too()))


def there(owner: Owner) -> Owner:
    found = stored(owner)
    assert found is not None
    return found


def grow_old(owner: Lesson | Course, days: float = 31) -> None:
    """Its deletion was so many days ago."""
    model = type(owner)
    past = func.now() - text(f"interval '{days} days'")
    db.session.execute(update(model).where(model.id == owner.id).values(deleted_at=past))
    db.session.commit()
