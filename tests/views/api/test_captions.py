"""Captions over JSON: a file that is taken is listed, one that is faulty says where, and another instructor has none of it."""

import base64

import pytest
from flask.testing import FlaskClient

from tests.domain.captions.support import captioned, transcribed
from tests.factories import (
    bearer,
    in_context,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_user,
)

pytestmark = pytest.mark.usefixtures("app")
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"


def body(data: bytes = VTT, **more: str) -> dict[str, str]:
    return {"language": "de", "captions": base64.b64encode(data).decode(), **more}


def test_a_file_is_added_and_listed_beside_the_captions_that_mux_made(client: FlaskClient) -> None:
    teacher = make_user()
    with in_context():
        lesson = captioned("ready", language="de", creator=teacher)
        path = f"/api/lessons/{lesson.id}/captions"
    mine = bearer(teacher)
    added = client.post(
        path, headers=mine, json=body("1\n00:01,000 --> 00:02,000\nSüß\n".encode("cp1252"), label="Deutsch")
    )
    assert added.status_code == 201
    assert added.json is not None
    assert (added.json["state"], added.json["source"], added.json["label"]) == ("asked", "own", "Deutsch")
    assert "Windows-1252" in added.json["warning"]
    listed = client.get(path, headers=mine).json
    assert listed is not None
    assert [one["source"] for one in listed["items"]] == ["generated", "own"]
    assert listed["items"][1] == added.json
    again = client.post(path, headers=mine, json=body())
    assert (again.status_code, again.json["error"]["type"]) == (409, "captions_coming")  # type: ignore[index]
    theirs = bearer(make_user())
    assert [client.get(path, headers=theirs).status_code, client.post(path, headers=theirs, json=body()).status_code] == [404, 404]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (body(b"1\n00:02,000 --> 00:01,000\nx\n"), "captions", "Line 2: the caption ends before it begins."),
        (body(b"x" * 1_200_000), "captions", "The file has 1.2 MB; captions may have 1 MB."),
        (body() | {"captions": "Y"}, "captions", "This is not base64."),
        (body() | {"captions": "ä no base64!"}, "captions", "This is not base64."),
        (body() | {"captions": body()["captions"] + "*"}, "captions", "This is not base64."),
        (body() | {"language": "auto"}, "language", "Choose the language of the captions."),
        (body(label="x" * 61), "label", "at most 60 characters"),
    ],
)
def test_what_is_refused_names_its_field(
    client: FlaskClient, given: dict[str, str], field: str, words: str
) -> None:
    teacher = make_user()
    lesson = make_playing_lesson(creator=teacher)
    answer = client.post(f"/api/lessons/{lesson.id}/captions", headers=bearer(teacher), json=given)
    assert answer.status_code == 400
    assert answer.json is not None
    assert words.lower() in answer.json["error"]["fields"][field].lower()


def test_a_lesson_without_a_video_has_none_and_takes_none(client: FlaskClient) -> None:
    teacher = make_user()
    path = f"/api/lessons/{make_lesson(creator=teacher).id}/captions"
    assert client.get(path, headers=bearer(teacher)).json == {"items": []}
    refused = client.post(path, headers=bearer(teacher), json=body())
    assert (refused.status_code, refused.json["error"]["type"]) == (409, "no_video")  # type: ignore[index]


def test_the_transcript_is_for_all_who_may_play_and_for_no_other_user(client: FlaskClient) -> None:
    teacher, buyer, other = make_user(), make_user(role="student"), make_user(role="student")
    with in_context():
        lesson = transcribed("Knead the dough.", creator=teacher, price_cents=900)
        path = f"/api/lessons/{lesson.id}/transcript"
        make_purchase(lesson, buyer)
    for user in (teacher, buyer):
        assert client.get(path, headers=bearer(user)).json == {
            "language": "en",
            "lines": [{"seconds": 0.0, "text": "Knead the dough."}],
        }
    refused = client.get(path, headers=bearer(other))
    assert (refused.status_code, refused.json["error"]["type"]) == (403, "purchase_required")  # type: ignore[index]
    assert "dough" not in refused.text


def test_without_captions_there_is_no_transcript(client: FlaskClient) -> None:
    teacher = make_user()
    path = f"/api/lessons/{make_playing_lesson(creator=teacher).id}/transcript"
    assert client.get(path, headers=bearer(teacher)).status_code == 404
