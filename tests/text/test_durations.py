"""Lengths of time in words."""

import math

from lessonadmin.text import durations
from tests.cases import each_of

DAY = 86_400


@each_of(
    ("seconds", "written"),
    [
        (-5, "0 seconds"),
        (0, "0 seconds"),
        (0.9, "0 seconds"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (119, "1 minute"),
        (7_199, "1 hour"),
        (7_200, "2 hours"),
        (DAY, "1 day"),
        (29 * DAY, "29 days"),
        (30 * DAY, "1 month"),
        (364 * DAY, "12 months"),
        (800 * DAY, "2 years"),
    ],
)
def test_in_words_is_the_largest_unit(seconds: float, written: str) -> None:
    assert durations.in_words(seconds) == written


def test_in_words_a_wait_is_never_too_short() -> None:
    assert [durations.in_words(seconds, whole=math.ceil) for seconds in (1, 59, 60, 61, 600, 3_601)] == [
        *("1 second", "59 seconds", "1 minute", "2 minutes", "10 minutes", "2 hours")
    ]


@each_of(
    ("seconds", "written"),
    [
        (0, "5 seconds"),
        (5, "5 seconds"),
        (6, "10 seconds"),
        (41, "45 seconds"),
        (50, "1 minute"),
        (61, "2 minutes"),
        (2_999, "50 minutes"),
        (3_000, "0.8 hours"),
        (5_400, "1.5 hours"),
    ],
)
def test_a_guess_is_round(seconds: float, written: str) -> None:
    assert durations.about(seconds) == written


@each_of(
    ("seconds", "written"),
    [
        (0, "0.0 s"),
        (0.42, "0.4 s"),
        (9.94, "9.9 s"),
        (10.2, "10 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (63, "1 min 3 s"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
    ],
)
def test_what_was_measured(seconds: float, written: str) -> None:
    assert durations.measured(seconds) == written
