"""Worker and clock do not start behind a pooler of connections."""

from collections.abc import Iterator

import pytest
from flask import Flask

from lessonadmin.database import connections
from lessonadmin.jobs import own_connections


@pytest.fixture
def behind_a_pooler() -> Iterator[None]:
    connections.use_pooler(True)
    yield
    connections.use_pooler(False)


@pytest.mark.parametrize("command", [["worker", "--burst"], ["clock"], ["sweep"]])
def test_what_keeps_things_on_its_connections_refuses_one(
    app: Flask, behind_a_pooler: None, command: list[str]
) -> None:
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 1
    assert "a DATABASE_URL that does not lead through a pooler" in done.output


def test_of_the_test_without_one_they_may(app: Flask) -> None:
    own_connections.required()
