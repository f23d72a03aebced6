"""How long Mux will probably work on a video: the median of the school's own history, or nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lessonadmin.domain.models import Course, Lesson
from lessonadmin.domain.uploads import estimates
from lessonadmin.domain.uploads.estimates import Estimate, bounds
from tests.factories import make_course, make_lesson, make_tracking

pytestmark = pytest.mark.usefixtures("session")
SHORT, LONG = 60.0, 7200.0
NO_LIMIT = float("inf")


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def took(*seconds: float, duration: float | None = SHORT, ended: float = 60, **columns: Any) -> None:
    """Videos on which Mux has worked for so long each."""
    ready_at = ago(ended)
    for number in seconds:
        known = {"bytes_in_at": ready_at - timedelta(seconds=number), "ready_at": ready_at, **columns}
        make_tracking(make_lesson(), status="ready", mux_asset_id="a", duration=duration, **known)


def coming(owner: Lesson | Course | None = None, **columns: Any) -> Lesson | Course:
    """A lesson on whose video Mux has worked for ten seconds."""
    owner = owner or make_lesson()
    known = {"status": "processing", "bytes_in_at": ago(10), "duration": SHORT, **columns}
    make_tracking(owner, **known)
    return owner


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.0, (0.0, 120.0)),
        (120.0, (0.0, 120.0)),
        (120.1, (120.0, 600.0)),
        (600.0, (120.0, 600.0)),
        (3600.0, (1800.0, 3600.0)),
        (3600.1, (3600.0, NO_LIMIT)),
    ],
)
def test_the_class_of_a_length_includes_its_upper_end(duration: float, expected: tuple[float, float]) -> None:
    assert bounds(duration) == expected


@pytest.mark.parametrize(
    ("usual", "so_far", "left", "overdue"),
    [
        (100, 0, 100, False),
        (100, 100, 0, False),
        (100, 150, 0, False),
        (100, 151, 0, True),
        (2, 5, 0, False),
        (2, 6, 0, True),
    ],
)
def test_overdue_is_clearly_longer_than_usual(
    usual: float, so_far: float, left: float, overdue: bool
) -> None:
    found = Estimate(usual=usual, so_far=so_far, same_length=True)
    assert (found.left, found.overdue) == (left, overdue)


def test_the_usual_time_is_the_median_of_videos_of_that_length() -> None:
    took(20, 30, 1000)
    took(5000, 6000, 7000, duration=LONG)
    found = estimates.of(coming())
    assert found is not None
    assert (found.usual, found.same_length) == (pytest.approx(30), True)
    assert found.so_far == pytest.approx(10, abs=5)


def test_a_course_has_an_estimate_too() -> None:
    took(20, 30, 40)
    found = estimates.of(coming(make_course()))
    assert found is not None
    assert found.usual == pytest.approx(30)


@pytest.mark.parametrize("duration", [LONG, None])
def test_where_too_few_have_that_length_all_of_them_count(duration: float | None) -> None:
    took(20, 30, 40)
    took(5000, 6000, duration=LONG)
    found = estimates.of(coming(duration=duration))
    assert found is not None
    assert (found.usual, found.same_length) == (pytest.approx(40), False)


@pytest.mark.parametrize(
    "more",
    [
        {"ended": estimates.HISTORY_SECONDS + 60},
        {"bytes_in_at": None},
        {"bytes_in_at": datetime(2999, 1, 1, tzinfo=UTC)},  # after it was ready
        {"ready_at": None},
    ],
    ids=["too old", "without a beginning", "began when it had ended", "not ready"],
)
def test_what_is_no_history_of_today_does_not_count(more: dict[str, Any]) -> None:
    took(20, 30)
    took(40, **more)
    owner = coming()
    assert estimates.of(owner) is None
    took(40)
    assert estimates.of(owner) is not None


def test_without_the_last_byte_the_time_begins_when_the_asset_was_seen() -> None:
    took(1000, 1000, 1000, bytes_in_at=None, asset_seen_at=ago(60 + 50))
    found = estimates.of(coming(bytes_in_at=None, asset_seen_at=ago(300)))
    assert found is not None
    assert (found.usual, found.so_far) == (pytest.approx(50, abs=5), pytest.approx(300, abs=30))


def test_only_the_latest_videos_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MAX_ROWS", 3)
    took(1000, 1000, 1000, 1000, ended=5000)
    took(20, 30, 40)
    found = estimates.of(coming())
    assert found is not None
    assert found.usual == pytest.approx(30)


def test_a_beginning_in_the_future_is_no_time_so_far() -> None:
    took(20, 30, 40)
    found = estimates.of(coming(bytes_in_at=ago(-60)))
    assert found is not None
    assert (found.so_far, found.left) == (0, pytest.approx(30))


@pytest.mark.parametrize("status", ["uploading", "ready", "error"])
def test_there_is_no_estimate_for_what_mux_does_not_work_on(status: str) -> None:
    took(20, 30, 40)
    assert estimates.of(coming(status=status, mux_asset_id="a")) is None


def test_an_upload_that_was_overtaken_has_no_estimate() -> None:
    took(20, 30, 40)
    assert estimates.of(coming(superseded_at=ago(5))) is None
