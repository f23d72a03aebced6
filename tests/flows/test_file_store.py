"""Files of lessons with a real clock and a file store: added over HTTP, moved by the sweep, downloaded from there, gone with their lesson."""

import base64
from collections.abc import Iterator

import pytest

from tests import file_store as stand_in
from tests.file_store import Store
from tests.flows.conftest import QUICK
from tests.flows.instructor import Instructor
from tests.flows.processes import Stack, wait_for

DATA = bytes(range(256)) * 6000  # two parts


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with stand_in.serving() as found:
        yield found


@pytest.fixture(scope="module")
def running(store: Store) -> Iterator[Stack]:
    made = Stack(**QUICK, TRASH_DAYS="0", **stand_in.settings_of(store))
    try:
        made.begin()
        yield made
    finally:
        made.end()


def add_file(instructor: Instructor, lesson: str) -> str:
    status, begun = instructor.ask(
        "POST", f"/api/lessons/{lesson}/files", {"name": "plan.pdf", "size": len(DATA)}
    )
    assert status == 201, begun
    path, size = f"/api/lessons/{lesson}/files/{begun['id']}", begun["part_bytes"]
    for number in begun["missing"]:
        part = base64.b64encode(DATA[number * size :][:size]).decode()
        assert instructor.ask("POST", f"{path}/parts", {"number": number, "data": part})[0] == 204
    assert instructor.ask("POST", f"{path}/finish")[0] == 200
    return str(begun["id"])


def downloaded(instructor: Instructor, lesson: str, file_id: str) -> bytes:
    return instructor.browser().get(f"/catalog/{lesson}/files/{file_id}").expect(200).body


def test_files_move_to_the_store_when_it_is_back_and_go_with_their_lesson(
    stack: Stack, instructor: Instructor, store: Store
) -> None:
    lesson = instructor.lesson()
    store.fails = 503
    file_id = add_file(instructor, lesson)
    wait_for(lambda: store.asked, seconds=30, what="the sweep")
    assert downloaded(instructor, lesson, file_id) == DATA, "from PostgreSQL"
    store.fails = None
    wait_for(lambda: store.objects.get(file_id) == DATA, seconds=30, what="the move")
    moved = "SELECT in_store FROM lesson_files WHERE id = %s"
    wait_for(lambda: stack.database.one(moved, file_id), seconds=30, what="the end of the move")
    assert stack.database.rows("SELECT 1 FROM lesson_file_parts") == []
    stack.kill("web")
    stack.begin()
    assert downloaded(instructor, lesson, file_id) == DATA, "from the store"

    assert instructor.ask("DELETE", f"/api/lessons/{lesson}")[0] == 204
    wait_for(lambda: not store.objects, seconds=30, what="the end of the file")
    wait_for(lambda: not stack.database.rows("SELECT 1 FROM lesson_files"), seconds=30, what="the row")
