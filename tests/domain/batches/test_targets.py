"""Ids and queries choose the same rows, in their order, and each row has a name as long as it is there."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.batches import registry, targets
from lessonadmin.domain.models import Lesson
from tests.factories import make_lesson


def test_ids_are_chosen_once_and_in_their_order(session: Session) -> None:
    ids = [uuid.uuid4() for _ in range(20)]
    chosen = session.scalars(targets.as_select([*ids, ids[0], ids[7]])).all()
    assert chosen == ids


def test_a_query_is_its_own_choice(session: Session) -> None:
    query = select(Lesson.id).order_by(Lesson.title.desc())
    assert targets.as_select(query) is query


def test_no_ids_choose_nothing(session: Session) -> None:
    assert session.scalars(targets.as_select([])).all() == []


def test_names_are_those_that_the_rows_have_now(session: Session) -> None:
    lesson, gone = make_lesson(title="Squares"), uuid.uuid4()
    db.session.commit()
    assert targets.names_of(registry.find("lesson", "publish"), [lesson.id, gone]) == {lesson.id: "Squares"}
