"""How values are written for people."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lessonadmin.web import formats
from tests.cases import each_of

NOW = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


@each_of(
    ("seconds", "written"),
    [
        (0, "just now"),
        (44, "just now"),
        (-10, "in a moment"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (3 * 60, "3 minutes ago"),
        (3600, "1 hour ago"),
        (23 * 3600, "23 hours ago"),
        (86_400, "1 day ago"),
        (45 * 86_400, "2 months ago"),
        (800 * 86_400, "2 years ago"),
        (-7200, "in 2 hours"),
    ],
)
def test_ago(seconds: int, written: str) -> None:
    assert formats.ago(NOW - timedelta(seconds=seconds), now=NOW) == written


def test_moments() -> None:
    assert formats.moment(NOW) == "24 Nov 2026, 09:05 UTC"
    assert formats.iso(NOW) == "2026-11-24T09:05:00Z"


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0:00"), (5.4, "0:05"), (65, "1:05"), (3725, "1:02:05"), (59.7, "1:00")]
)
def test_durations(seconds: float, written: str) -> None:
    assert formats.duration(seconds) == written


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "2 kB"), (1_400_000_000, "1.4 GB"), (5e12, "5000.0 GB")],
)
def test_sizes(count: int, written: str) -> None:
    assert formats.size(count) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.04, "0.0"), (0.44, "0.4"), (9.94, "9.9"), (9.96, "10"), (1234.4, "1,234")],
)
def test_minutes_have_a_decimal_while_it_tells_something(value: float, written: str) -> None:
    assert formats.minutes(value) == written


def test_a_day_is_written_out() -> None:
    assert formats.day(date(2026, 11, 4)) == "4 Nov 2026"
