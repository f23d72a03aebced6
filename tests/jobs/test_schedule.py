"""The periodic table: each task once, at the pace of the settings."""

from lessonadmin.jobs import schedule
from tests.settings import overridden


def test_the_table_has_the_sweep_at_its_beat(session: object) -> None:
    sweep = next(one for one in schedule.TABLE if one.name == "sweep")
    with overridden(sweep_every_seconds=7):
        assert sweep.seconds() == 7


def test_each_task_is_there_once_and_comes_again() -> None:
    names = [one.name for one in schedule.TABLE]
    assert len(names) == len(set(names))
    assert {"sweep", "alarms", "sums", "retention", "reconcile"} <= set(names)


def test_no_task_runs_without_a_pause(session: object) -> None:
    assert min(one.seconds() for one in schedule.TABLE) >= 1


def test_what_looks_at_all_of_mux_does_not_run_right_after_a_start() -> None:
    (reconcile,) = [one for one in schedule.TABLE if one.name == "reconcile"]
    assert reconcile.after >= 60
