"""Threads that wait at the same moment share one write, none is lost, and none waits for ever."""

import threading
import time

import pytest

from lessonadmin.database.group_commit import GroupCommit, NotWrittenInTime


class Writer:
    """What is written, a list a write; a write waits while the gate is closed."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.began = threading.Event()
        self.error: Exception | None = None

    def __call__(self, items: list[int]) -> None:
        self.began.set()
        self.open.wait(20)
        self.writes.append(items)
        if self.error is not None:
            raise self.error


def add(group: GroupCommit[int], number: int) -> None:
    group.wait(group.put(number))


def in_threads(
    group: GroupCommit[int], numbers: range, ended: dict[int, object] | None = None
) -> tuple[list[threading.Thread], dict[int, object]]:
    """One thread an item; how each ended, when they have ended."""
    ended = {} if ended is None else ended

    def add_one(number: int) -> None:
        try:
            add(group, number)
        except Exception as error:  # what a caller would see
            ended[number] = error
        else:
            ended[number] = "written"

    threads = [threading.Thread(target=add_one, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    return threads, ended


def waiting(group: GroupCommit[int], count: int) -> None:
    deadline = time.monotonic() + 20
    while len(group._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def behind_the_first(
    writer: Writer, group: GroupCommit[int], count: int
) -> tuple[list[threading.Thread], dict[int, object]]:
    """Item 0 is being written, and so many others wait for it; none is answered yet."""
    writer.open.clear()
    first, ended = in_threads(group, range(1))
    writer.began.wait(20)
    others, more = in_threads(group, range(1, count + 1), ended)
    waiting(group, count)
    assert more == {}, "nothing is answered before it is written"
    return first + others, ended


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_one_alone_is_written_at_once() -> None:
    writer = Writer()
    add(GroupCommit(writer, max_wait_seconds=20), 1)
    assert writer.writes == [[1]]


def test_a_caller_with_several_items_has_them_written_together() -> None:
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)
    entries = [group.put(number) for number in range(5)]
    for entry in entries:
        group.wait(entry)
        group.wait(entry)
    assert writer.writes == [[0, 1, 2, 3, 4]]


def test_what_is_put_and_not_waited_for_is_in_no_ones_way() -> None:
    """Its caller is still busy with others: a thread that waits writes for both."""
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)
    early = group.put(1)
    add(group, 2)
    group.wait(early)
    add(group, 3)
    assert writer.writes == [[1, 2], [3]]


def test_what_is_withdrawn_is_not_written_unless_it_is_already() -> None:
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)
    group.withdraw(group.put(1))
    written = group.put(2)
    add(group, 3)
    group.withdraw(written)
    assert writer.writes == [[2, 3]]


def test_callers_with_several_items_each_lose_and_double_none() -> None:
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)

    def add_many(first: int) -> None:
        for start in range(first, first + 200, 10):
            for entry in [group.put(number) for number in range(start, start + 10)]:
                group.wait(entry)
                assert any(entry.item in write for write in writer.writes), (
                    "it is written when its caller goes on"
                )

    threads = [threading.Thread(target=add_many, args=(start * 200,)) for start in range(6)]
    for thread in threads:
        thread.start()
    join(threads)
    assert sorted(one for write in writer.writes for one in write) == list(range(1200))


def test_what_comes_while_one_writes_is_written_together() -> None:
    writer = Writer()
    threads, ended = behind_the_first(writer, GroupCommit(writer, max_wait_seconds=20), 8)
    writer.open.set()
    join(threads)
    assert writer.writes[0] == [0]
    assert sorted(writer.writes[1]) == list(range(1, 9))
    assert ended == dict.fromkeys(range(9), "written")


def test_each_item_is_written_exactly_once_under_load() -> None:
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)

    def add_many(first: int) -> None:
        for number in range(first, first + 200):
            add(group, number)

    threads = [threading.Thread(target=add_many, args=(start * 200,)) for start in range(8)]
    for thread in threads:
        thread.start()
    join(threads)
    assert sorted(one for write in writer.writes for one in write) == list(range(1600))


def test_an_error_reaches_everything_that_waits_and_nothing_that_comes_later() -> None:
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=20)
    threads, ended = behind_the_first(writer, group, 3)
    writer.error = OSError("away")
    writer.open.set()
    join(threads)
    assert writer.writes == [[0]]
    assert ended == dict.fromkeys(range(4), writer.error)
    writer.error = None
    add(group, 7)
    assert writer.writes[-1] == [7], "the next one writes after an error"


def test_what_a_thread_that_is_ended_did_not_write_is_not_taken_for_written() -> None:
    def ended(_items: list[int]) -> None:
        raise SystemExit

    group = GroupCommit[int](ended, max_wait_seconds=20)
    first, second = group.put(1), group.put(2)
    with pytest.raises(SystemExit):
        group.wait(first)
    with pytest.raises(NotWrittenInTime):
        group.wait(second)


def test_no_item_waits_for_a_write_that_does_not_end() -> None:
    writer = Writer()
    writer.open.clear()
    group = GroupCommit(writer, max_wait_seconds=0.2)
    first, ended = in_threads(group, range(1))
    writer.began.wait(20)
    others, more = in_threads(group, range(1, 4))
    join(others)
    assert all(isinstance(error, NotWrittenInTime) for error in more.values())
    writer.open.set()
    join(first)
    assert ended == {0: "written"}
    add(group, 9)
    assert writer.writes == [[0], [9]], "what gave up is not written later, and the next one is"


def test_the_turn_of_an_item_that_gave_up_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is handed the turn at the very moment that its time is up."""
    writer = Writer()
    group = GroupCommit(writer, max_wait_seconds=0.0)
    group._is_writing = True  # by another thread
    threads, ended = [], {}
    real = group._give_up

    def handed_over_first(entry: object) -> None:
        with group._guard:
            group._waiting[0].writes = True
        real(entry)  # type: ignore[arg-type]  # an entry

    monkeypatch.setattr(group, "_give_up", handed_over_first)
    threads, ended = in_threads(group, range(1))
    join(threads)
    assert ended == {0: "written"}
    add(group, 5)
    assert writer.writes == [[0], [5]]
