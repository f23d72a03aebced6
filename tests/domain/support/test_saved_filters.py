"""Saved filters: each person's own, a name only once in a list, and not too many of them."""

import uuid

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import SavedFilter, User
from lessonadmin.domain.support import saved_filters
from tests.factories import make_user

QUERY = "flt0_state_is=draft"


@pytest.fixture
def sam(session: Session) -> User:
    return make_user(role="support")


def save(user: User, name: str, *, list_slug: str = "lesson", query: str = QUERY) -> SavedFilter:
    with transaction(Actor.user(user.id)):
        return saved_filters.save(user.id, list_slug, name, query)


def names(user: User, list_slug: str = "lesson") -> list[str]:
    return [one.name for one in saved_filters.of(user.id, list_slug)]


def test_a_filter_is_kept_for_its_owner_and_its_list(sam: User) -> None:
    save(sam, "  Late \n drafts ")
    save(sam, "Failed ones", list_slug="event", query="view=failed")
    save(sam, "a first one")
    assert names(sam) == ["a first one", "Late drafts"]
    assert [one.query for one in saved_filters.of(sam.id, "event")] == ["view=failed"]
    assert names(make_user(role="support")) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * (saved_filters.MAX_NAME_LENGTH + 1)])
def test_a_name_is_neither_empty_nor_too_long(sam: User, name: str) -> None:
    with pytest.raises(Invalid):
        save(sam, name)
    kept = save(sam, "x" * saved_filters.MAX_NAME_LENGTH)
    with pytest.raises(Invalid), transaction(Actor.user(sam.id)):
        saved_filters.rename(sam.id, kept.id, name)


@pytest.mark.parametrize("query", ["", "x" * (saved_filters.MAX_QUERY_LENGTH + 1)])
def test_what_filters_nothing_or_is_too_long_is_not_kept(sam: User, query: str) -> None:
    with pytest.raises(Invalid):
        save(sam, "Late", query=query)


def test_a_name_is_there_once_in_a_list_of_a_person(sam: User) -> None:
    save(sam, "Late")
    with pytest.raises(Conflict):
        save(sam, "LATE")
    save(sam, "Late", list_slug="event")
    save(make_user(role="support"), "Late")
    assert names(sam) == ["Late"]


def test_there_are_only_so_many_of_a_list(sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_filters, "MAX_PER_LIST", 2)
    save(sam, "One")
    save(sam, "Two")
    with pytest.raises(Conflict, match="2 saved filters"):
        save(sam, "Three")
    save(sam, "Three", list_slug="event")
    with transaction(Actor.user(sam.id)):
        saved_filters.remove(sam.id, saved_filters.of(sam.id, "lesson")[0].id)
    save(sam, "Three")
    assert names(sam) == ["Three", "Two"]


def test_it_is_renamed_also_to_its_own_name_in_other_letters(sam: User) -> None:
    kept = save(sam, "Late")
    save(sam, "Early")
    with transaction(Actor.user(sam.id)):
        saved_filters.rename(sam.id, kept.id, "LATE")
    with pytest.raises(Conflict), transaction(Actor.user(sam.id)):
        saved_filters.rename(sam.id, kept.id, "early")
    assert names(sam) == ["Early", "LATE"]


def test_only_its_owner_renames_and_removes_it(sam: User) -> None:
    kept, other = save(sam, "Late"), make_user(role="admin")
    for filter_id, user in ((kept.id, other), (uuid.uuid4(), sam), (None, sam)):
        with pytest.raises(Missing), transaction(Actor.user(user.id)):
            saved_filters.rename(user.id, filter_id, "Mine")
        with pytest.raises(Missing), transaction(Actor.user(user.id)):
            saved_filters.remove(user.id, filter_id)
    assert names(sam) == ["Late"]
    with transaction(Actor.user(sam.id)):
        saved_filters.remove(sam.id, kept.id)
    assert names(sam) == []
