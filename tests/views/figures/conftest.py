"""A lesson of which something came, and how a page of it reads."""

from datetime import UTC, datetime, timedelta

import pytest

from lessonadmin.domain.models import CountedDay, Lesson, User
from tests.factories import keep, make_playing_lesson, make_purchase, make_user, make_view

DAY = datetime.now(UTC).date() - timedelta(days=2)


def counted(what: str = "minutes") -> None:
    keep(CountedDay(what=what, day=DAY, counted_at=datetime.now(UTC)))


@pytest.fixture
def lesson(instructor: User) -> Lesson:
    """Watched for two minutes and sold once."""
    made = make_playing_lesson(creator=instructor, title="=Bread", price_cents=900)
    make_view(made, DAY, seconds=120, plays=3)
    make_purchase(made, make_user(role="student", name="Sam Student"))
    make_view(make_playing_lesson(title="Foreign"), DAY, seconds=6000)
    counted()
    return made
