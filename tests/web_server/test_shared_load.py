"""Processes know of each other how many connections they have, as long as they say so."""

import os

import pytest

from lessonadmin.web_server import shared_load
from lessonadmin.web_server.shared_load import SharedLoad


def test_the_one_with_more_sees_another_with_fewer() -> None:
    load = SharedLoad()
    load.say(1, 5)
    load.say(2, 3)
    assert load.another_has_fewer(1, 5)
    assert not load.another_has_fewer(2, 3)
    load.say(1, 3)
    assert not load.another_has_fewer(1, 3), "as many are not fewer"


def test_one_alone_leaves_nothing_to_others() -> None:
    load = SharedLoad()
    load.say(7, 100)
    assert not load.another_has_fewer(7, 100)
    assert not load.another_has_fewer(7, 101)


def test_one_that_says_nothing_any_more_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    load = SharedLoad()
    load.say(2, 0)
    monkeypatch.setattr(shared_load, "FRESH_SECONDS", -1.0)
    assert not load.another_has_fewer(1, 5)


def test_more_processes_than_places_do_no_harm() -> None:
    load = SharedLoad()
    for number in range(shared_load.PLACES + 10):
        load.say(number, 4)
    assert not load.another_has_fewer(3, 4)


def test_a_forked_process_says_it_to_its_parent() -> None:
    load = SharedLoad()
    child = os.fork()
    if child == 0:
        load.say(2, 1)
        os._exit(0)
    os.waitpid(child, 0)
    assert load.another_has_fewer(1, 2)
