"""Files over JSON."""

import base64

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.lesson_files.files import PART_BYTES
from tests.factories import bearer, make_playing_lesson, make_user

pytestmark = pytest.mark.usefixtures("app")


def test_a_program_adds_a_file_part_by_part_removes_and_restores_it(client: FlaskClient) -> None:
    teacher, student = make_user(), make_user(role="student")
    lesson = make_playing_lesson(creator=teacher, price_cents=0)
    mine, theirs = bearer(teacher), bearer(student)
    path = f"/api/lessons/{lesson.id}/files"
    data = b"a" * PART_BYTES + b"b"
    begun = client.post(path, headers=mine, json={"name": "plan.pdf", "size": len(data)}).json
    assert begun is not None
    assert (begun["missing"], begun["part_bytes"]) == ([0, 1], PART_BYTES)
    one = f"{path}/{begun['id']}"
    early = client.post(f"{one}/finish", headers=mine)
    assert (early.status_code, early.json["error"]["type"]) == (409, "file_incomplete")  # type: ignore[index]
    for number in begun["missing"]:
        part = base64.encodebytes(
            data[number * PART_BYTES :][:PART_BYTES]
        ).decode()  # in lines, as tools write it
        sent = client.post(f"{one}/parts", headers=mine, json={"number": number, "data": part})
        assert (sent.status_code, sent.data) == (204, b"")
    finished = client.post(f"{one}/finish", headers=mine)
    assert finished.status_code == 200
    assert finished.json is not None
    assert finished.json["download_url"].endswith(f"/catalog/{lesson.id}/files/{begun['id']}")
    listed = client.get(path, headers=theirs).json
    assert listed == {"items": [finished.json]}
    assert client.delete(one, headers=theirs).status_code == 403
    assert client.delete(one, headers=mine).status_code == 204
    assert client.get(path, headers=theirs).json == {"items": []}
    assert client.post(f"{one}/restore", headers=mine).json == finished.json


def test_the_list_is_for_those_who_may_play(client: FlaskClient) -> None:
    lesson = make_playing_lesson(price_cents=900)
    answer = client.get(f"/api/lessons/{lesson.id}/files", headers=bearer(make_user(role="student")))
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"]["type"] == "purchase_required"


@pytest.mark.parametrize(
    "body",
    [
        {"number": 0, "data": "not base64!"},
        {"number": 0, "data": "YQ==*"},
        {"number": -1, "data": "YQ=="},
        {"number": "0", "data": "YQ=="},
        {"number": 0, "data": None},
        {"number": 0},
    ],
)
def test_an_odd_part_is_named(client: FlaskClient, body: dict[str, object]) -> None:
    teacher = make_user()
    lesson = make_playing_lesson(creator=teacher)
    path = f"/api/lessons/{lesson.id}/files"
    begun = client.post(path, headers=bearer(teacher), json={"name": "plan.pdf", "size": 1}).json
    assert begun is not None
    answer = client.post(f"{path}/{begun['id']}/parts", headers=bearer(teacher), json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["fields"]
