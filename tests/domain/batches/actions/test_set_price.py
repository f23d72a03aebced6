"""Another price for many lessons, and the former one again."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.batches import registry, scheduling, undo
from lessonadmin.domain.batches.actions import set_price
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import AuditLog, Purchase
from tests.domain.batches.actions.owners import items, lesson, run, statuses, undone, verdicts
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user


def test_a_price_is_changed_and_given_back_where_it_was_not_changed_since(session: Session) -> None:
    teacher = make_user()
    free, cheap, same = (make_lesson(creator=teacher, price_cents=cents).id for cents in (0, 500, 900))
    sold = make_playing_lesson(creator=teacher, price_cents=700)
    bought = make_purchase(sold, make_user(role="student")).id
    ids = [free, cheap, same, sold.id]
    assert verdicts(teacher, "set_price", ids, price_cents=900) == {
        free: True, cheap: True, same: False, sold.id: True
    }  # fmt: skip
    batch_id = run(teacher, "set_price", ids, price_cents=900)
    assert statuses(batch_id) == {free: "done", cheap: "done", same: "skipped", sold.id: "done"}
    assert [lesson(one).price_cents for one in ids] == [900] * 4
    assert db.session.get_one(Purchase, bought).price_cents == 700
    rows = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.updated")).all()
    assert {str(row.detail["after"]) for row in rows} == {"{'price_cents': 900}"}
    with transaction(Actor.user(teacher.id)):
        lessons.edit(teacher, free, Changes(title="Another title"))  # no change of the price
        lessons.edit(teacher, cheap, Changes(price_cents=100))
    assert undo.count_undoable(batch_id) == (2, 1)
    undoing = undone(teacher, batch_id)
    assert [lesson(one).price_cents for one in ids] == [0, 100, 900, 700]
    assert items(undoing)[cheap].note.startswith("Changed since by Instructor ")
    assert not undo.is_undoable(batch_id)


def test_it_does_nothing_without_a_price_and_again_changes_nothing(session: Session) -> None:
    teacher = make_user()
    one = make_lesson(creator=teacher, price_cents=5).id
    assert statuses(run(teacher, "set_price", [one])) == {one: "skipped"}
    batch_id = run(teacher, "set_price", [one], price_cents=7)
    undoing = undone(teacher, batch_id)
    assert (statuses(undoing), lesson(one).price_cents) == ({one: "done"}, 5)
    again = undone(teacher, batch_id)
    assert statuses(again) == {one: "skipped"}
    alone = scheduling.run_now(registry.find("lesson", "restore_price"), [one], actor=Actor.user(teacher.id))
    assert alone.items[0].status == "skipped"


def test_the_price_is_read_by_the_one_rule(session: Session) -> None:
    assert set_price.chosen(make_user(), " EUR 9,90 ") == {"price_cents": 990}
    for wrong in ("", "abc", "-1", "9.999", "10000000"):
        with pytest.raises(Invalid) as refused:
            set_price.chosen(make_user(), wrong)
        assert list(refused.value.fields or {}) == ["price"]
