"""The page about the data model is what the product says today, and the check of it can fail."""

import psycopg
import pytest

from devstack.data_model import __main__ as command
from devstack.data_model import page, triggers, writers
from devstack.errors import SetupError
from lessonadmin.db import Base
from tests.structure import one_writer


def test_the_page_is_current(pg_url: str) -> None:
    with psycopg.connect(pg_url) as database:
        drawn = page.text(Base.metadata.tables, triggers.of_database(database))
    assert command.differences(command.FILE.read_text(), drawn) == []


def test_a_page_that_is_not_current_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bin/data-model", "--check"])
    monkeypatch.setattr(page, "draw", lambda: command.FILE.read_text() + "| `planted` | text |\n")
    with pytest.raises(SetupError, match="planted"):
        command.main()
    monkeypatch.setattr(page, "draw", command.FILE.read_text)
    assert command.main() == 0


def test_a_table_without_a_part_stops_the_page() -> None:
    planted = {**Base.metadata.tables, "planted": Base.metadata.tables["users"]}
    with pytest.raises(SetupError, match="planted"):
        page.text(planted, triggers.InDatabase([], {}))


def test_a_trigger_without_words_stops_the_page() -> None:
    planted = triggers.Trigger(
        "planted", "users", "planted", "CREATE TRIGGER planted AFTER INSERT EXECUTE FUNCTION planted()"
    )
    with pytest.raises(KeyError, match="planted"):
        page.text(Base.metadata.tables, triggers.InDatabase([planted], {}))


def test_only_writers_are_those_that_the_structure_test_holds() -> None:
    given = dict.fromkeys((writers.VIDEO, writers.PUBLICATION), "")
    for columns in writers.ONLY_WRITERS.values():
        for module, names in columns.items():
            given[module] = f"{given.get(module, '')} {names}"
    assert set(given[writers.VIDEO].split()) == one_writer.VIDEO
    assert set(given[writers.PUBLICATION].split()) == one_writer.PUBLICATION
    assert given[writers.AUDIT].split() == ["*"]


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ("Alarm(kind='x')", {"alarms"}),
        ("models.Alarm(kind='x')", {"alarms"}),
        ("update(Alarm).where(Alarm.kind == 'x').values(told_at=None)", {"alarms"}),
        ("delete(models.Alarm)", {"alarms"}),
        ("insert(Alarm.__table__)", {"alarms"}),
        ("text('INSERT INTO alarms (kind) SELECT 1')", {"alarms"}),
        ("text('with a as (select 1) delete from alarms')", {"alarms"}),
        ("select(Alarm).where(Alarm.kind == 'x')", set()),
        ("text('SELECT kind FROM alarms')", set()),
    ],
)
def test_who_writes_a_table_is_read_from_the_syntax(source: str, tables: set[str]) -> None:
    assert writers.written(source, {"Alarm": "alarms"}) == tables
