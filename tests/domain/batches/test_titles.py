"""A bulk action is called by what it does to how many rows, and an undo by what it undoes."""

import pytest

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.batches import registry, titles, undo
from tests.domain.batches.support import PUBLISH, begin, drafts, finish
from tests.factories import make_user


@pytest.mark.parametrize(
    ("target", "count", "words"),
    [("lesson", 1, "1 lesson"), ("course", 2, "2 courses"), ("tracking", 3, "3 uploads"), ("event", 0, "0 events")],
)  # fmt: skip
def test_rows_are_counted_by_their_noun(target: str, count: int, words: str) -> None:
    assert titles.counted(target, count) == words


def test_every_action_has_a_noun_and_a_label() -> None:
    assert {one.target for one in registry.ALL} == set(titles.NOUNS)
    assert all(one.label for one in registry.ALL)
    owners = (*registry.of_owners("lessons"), *registry.of_owners("trash"))
    assert len({one.of_rows("2 lessons") for one in owners}) == len(owners)
    assert registry.find("lesson", "set_price").of_rows("2 lessons") == "Set the price of 2 lessons"


def test_an_undo_names_what_it_undoes(session: object) -> None:
    staff = Actor.user(make_user(role="support").id)
    batch_id = begin(PUBLISH, drafts(2), staff)
    finish(batch_id)
    with transaction(staff):
        undoing = undo.undo(batch_id)
        done = undo.get(batch_id)
        found = titles.titles([done, undoing])
        assert found == {batch_id: "Publish 2 lessons", undoing.id: "Undo of “Publish 2 lessons”"}
        assert titles.title(undoing, None) == "Undo of a bulk action"
        assert titles.title_of(undoing) == "Undo of “Publish 2 lessons”"
