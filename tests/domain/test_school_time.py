"""Times of the school: what is typed is a moment, in each night of the year."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lessonadmin import config
from lessonadmin.domain import school_time
from lessonadmin.domain.errors import Invalid
from tests.settings import overridden


@pytest.fixture(autouse=True)
def berlin(settings: config.Settings) -> Iterator[None]:
    with overridden(time_zone=ZoneInfo("Europe/Berlin")):
        yield


def read(text: str | None) -> datetime | None:
    return school_time.read("at", text)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 30, 22, 59, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 23, 0, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            date(2026, 10, 25),
        ),  # both of an hour that is there twice
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25)),
    ],
)
def test_a_moment_is_on_a_day_of_the_school(moment: datetime, expected: date) -> None:
    assert school_time.day(moment) == expected


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-30T18:00", datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ("2026-07-01T18:00", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("2026-11-30 18:00", datetime(2026, 11, 30, 17, tzinfo=UTC)),
        (" 2026-11-30T18:00:30 ", datetime(2026, 11, 30, 17, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice that night: the first
        ("2026-03-29T03:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T01:59", datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_what_is_typed_is_a_moment(typed: str | None, moment: datetime | None) -> None:
    assert read(typed) == moment
    if moment is not None:
        assert read(school_time.for_form(moment)) == moment


@pytest.mark.parametrize("typed", ["2026-03-29T02:00", "2026-03-29T02:59"])
def test_an_hour_that_is_left_out_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(typed)
    assert caught.value.fields == {
        "at": f"There is no {typed[-5:]} on that day: the clocks go forward in Europe/Berlin. Enter another time."
    }


@pytest.mark.parametrize(
    "typed",
    ["tomorrow", "2026-13-01T10:00", "2026-02-30T10:00", "2026-11-30", "10:00", "9" * 40, "0001-01-01T00:00"],
)
def test_what_is_no_moment_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid, match="such as 2026-11-30 18:00"):
        read(typed)


def test_people_read_the_zone_and_in_an_hour_that_is_there_twice_which_one() -> None:
    def said(*moment: int) -> str:
        return school_time.in_words(datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type, misc]

    assert said(2026, 11, 30, 17, 5) == "30 Nov 2026, 18:05 (Europe/Berlin)"
    assert said(2026, 10, 25, 0, 30) == "25 Oct 2026, 02:30 (Europe/Berlin, UTC+0200)"
    assert said(2026, 10, 25, 1, 30) == "25 Oct 2026, 02:30 (Europe/Berlin, UTC+0100)"
    assert said(2026, 3, 29, 1, 0) == "29 Mar 2026, 03:00 (Europe/Berlin)"
    assert school_time.zone_name() == "Europe/Berlin"
