"""Rolled-up figures equal what one counts by hand."""

from datetime import timedelta

from sqlalchemy import text

from lessonadmin.db import db
from lessonadmin.domain import hourly_statistics
from tests.factories import make_lesson
from tests.mux_sim import MuxSim

DAY = timedelta(hours=24)


def test_figures_equal_hand_counted_ones(mux_sim: MuxSim) -> None:
    for _ in range(3):
        mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    broken = make_lesson()
    mux_sim.control.error_upload(mux_sim.upload(broken).upload_id)
    mux_sim.deliver()
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = ready_at - interval '100 s' WHERE ready_at IS NOT NULL"
        )
    )
    db.session.commit()
    hourly_statistics.roll_up()
    hourly_statistics.roll_up()  # counting twice changes nothing
    assert hourly_statistics.totals("uploads", since=DAY) == {"": 4}
    assert hourly_statistics.totals("ended", since=DAY) == {"ready": 3, "upload_errored": 1}
    assert hourly_statistics.totals("published", since=DAY) == {"by itself": 3}
    assert hourly_statistics.totals("discovered", since=DAY) == {"webhook": 3}
    ((kind, (median, high, count)),) = hourly_statistics.time_to_ready(since=DAY).items()
    assert (kind, count) == ("short", 3)
    assert abs(median - 100) <= 5
    assert abs(high - 100) <= 5
    chart = hourly_statistics.chart("uploads", since=DAY, step=timedelta(hours=1))
    assert len(chart.steps) == 24
    assert sum(chart.series[0].numbers[-2:]) == 4


def test_hours_that_were_missed_are_counted_later(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(
        text("UPDATE mux_asset_tracking SET created_at = clock_timestamp() - interval '30 hours'")
    )
    db.session.commit()
    assert hourly_statistics.roll_up() == 31  # from the first row on, this hour included
    assert hourly_statistics.totals("uploads", since=DAY) == {"": 0}
    assert hourly_statistics.totals("uploads", since=2 * DAY) == {"": 1}
