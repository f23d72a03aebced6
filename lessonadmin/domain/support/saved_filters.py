"""Filters of the panel's lists that members of staff save under a name. Each of them sees and changes only their own.

A filter is text here; what it means is the business of its list, which says so when it does not know a part any more.
"""

import uuid

from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import SavedFilter, User

MAX_PER_LIST = 20
MAX_NAME_LENGTH = 60
MAX_QUERY_LENGTH = 4_000


def of(user_id: uuid.UUID, list_slug: str) -> list[SavedFilter]:
    """A person's filters of one list, by their names."""
    own = select(SavedFilter).where(SavedFilter.user_id == user_id, SavedFilter.list_slug == list_slug)
    return list(db.session.scalars(own.order_by(func.lower(SavedFilter.name), SavedFilter.id)))


def save(user_id: uuid.UUID, list_slug: str, name: str, query: str) -> SavedFilter:
    """Keep one more, at most MAX_PER_LIST of a list."""
    if not query:
        raise Invalid.field("query", "This list is not filtered. Filter it first, then save the filter.")
    if len(query) > MAX_QUERY_LENGTH:
        raise Invalid.field("query", "This filter is too long to be saved.")
    name = _checked(name)
    there = _locked(user_id, list_slug)
    if len(there) >= MAX_PER_LIST:
        raise Conflict(
            "too_many_filters",
            f"You have {MAX_PER_LIST} saved filters of this list. Remove one of them first.",
        )
    _refuse_taken(name, there)
    found = SavedFilter(user_id=user_id, list_slug=list_slug, name=name, query=query)
    db.session.add(found)
    db.session.flush()
    return found


def rename(user_id: uuid.UUID, filter_id: uuid.UUID | None, name: str) -> SavedFilter:
    found = _own(user_id, filter_id)
    name = _checked(name)
    _refuse_taken(name, [one for one in _locked(user_id, found.list_slug) if one is not found])
    found.name = name
    db.session.flush()
    return found


def remove(user_id: uuid.UUID, filter_id: uuid.UUID | None) -> None:
    db.session.delete(_own(user_id, filter_id))
    db.session.flush()


def _own(user_id: uuid.UUID, filter_id: uuid.UUID | None) -> SavedFilter:
    mine = select(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.user_id == user_id)
    found = db.session.scalar(mine)
    if found is None:
        raise Missing(message="This saved filter does not exist any more.")
    return found


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise Invalid.field("name", f"Give the filter a name of 1 to {MAX_NAME_LENGTH} characters.")
    return name


def _locked(user_id: uuid.UUID, list_slug: str) -> list[SavedFilter]:
    """What is there, while no other request of the same person can add to it."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    return of(user_id, list_slug)


def _refuse_taken(name: str, there: list[SavedFilter]) -> None:
    if name.casefold() in {one.name.casefold() for one in there}:
        raise Conflict("name_taken", f"You have a saved filter “{name}” of this list. Choose another name.")
