"""The factories make rows that the product itself would accept."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.models import Lesson, User
from tests import factories


def test_each_row_is_whole(session: Session) -> None:
    creator = factories.make_user()
    course = factories.make_course(instructor=creator)
    factories.make_lesson(creator=creator, course=course, price_cents=900)
    playing = factories.make_playing_lesson(creator=creator)
    factories.make_tracking(course)
    factories.make_purchase(playing, factories.make_user(role="student"))
    factories.make_event()
    assert session.scalar(select(func.count()).select_from(Lesson)) == 2


def test_a_row_belongs_to_the_open_transaction(session: Session) -> None:
    def fail_halfway() -> None:
        with transaction(CLI):
            factories.make_user()
            raise LookupError

    with pytest.raises(LookupError):
        fail_halfway()
    assert session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize("role", ["student", "instructor", "support", "admin"])
def test_signed_in_is_signed_in(app: object, role: str) -> None:
    answer = factories.signed_in(factories.make_user(role=role)).get("/account")
    assert answer.status_code == 200


def test_a_script_may_use_its_token(client: FlaskClient) -> None:
    headers = factories.bearer(factories.make_user())
    assert client.get("/api/lessons", headers=headers).status_code == 200
    assert client.get("/api/lessons").status_code == 401
