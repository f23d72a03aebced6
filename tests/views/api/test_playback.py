"""Playing and buying lessons, over JSON."""

import base64
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.domain.models import AuditLog, Purchase
from tests import factories
from tests.settings import overridden
from tests.views.api.conftest import People, refused

KEYS = ["src", "playback_id", "policy", "token", "thumbnail_token"]
HOUR = 3600


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def signing(app: object, key: rsa.RSAPrivateKey) -> Iterator[None]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    with overridden(
        mux_signing_key_id="key-1",
        mux_signing_private_key=base64.b64encode(pem).decode(),
        mux_stream_url="https://stream.example",
    ):
        yield


def play(person: Any, lesson: Any) -> Any:
    return person.get(f"/lessons/{lesson.id}/playback")


def test_a_public_video_gets_no_token_even_with_a_key(people: People, signing: None) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user)
    source = play(people.student, lesson).get_json()
    assert list(source) == KEYS
    assert source == {
        "src": f"https://stream.example/{lesson.mux_playback_id}.m3u8",
        "playback_id": lesson.mux_playback_id,
        "policy": "public",
        "token": None,
        "thumbnail_token": None,
    }


@pytest.mark.parametrize(
    ("duration", "life"), [(61.0, 2 * HOUR), (4 * HOUR, 6 * HOUR), (12 * HOUR, 18 * HOUR), (None, 24 * HOUR)]
)
def test_a_signed_video_gets_tokens_that_outlive_it(
    people: People, signing: None, key: rsa.RSAPrivateKey, duration: float | None, life: int
) -> None:
    lesson = factories.make_playing_lesson(
        creator=people.instructor.user, playback_policy="signed", video_duration=duration
    )
    source = play(people.instructor, lesson).get_json()
    assert source["policy"] == "signed"
    assert source["src"] == f"https://stream.example/{lesson.mux_playback_id}.m3u8?token={source['token']}"
    for name, audience in (("token", "v"), ("thumbnail_token", "t")):
        claims = jwt.decode(source[name], key.public_key(), algorithms=["RS256"], audience=audience)
        assert (claims["sub"], claims["kid"]) == (lesson.mux_playback_id, "key-1")
        assert abs(claims["exp"] - time.time() - life) < 60
        assert claims["exp"] > time.time() + (duration or 0)
        assert jwt.get_unverified_header(source[name])["alg"] == "RS256"


def test_a_signed_video_without_a_key_says_so(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, playback_policy="signed")
    refused(play(people.instructor, lesson), 503, "signing_unavailable")
    with overridden(mux_signing_key_id="key-1", mux_signing_private_key="nonsense"):
        refused(play(people.instructor, lesson), 503, "signing_unavailable")


def test_a_paid_lesson_plays_for_buyers(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    for person in (people.student, people.colleague):
        refused(play(person, lesson), 403, "purchase_required")
    assert people.student.post(f"/lessons/{lesson.id}/purchase").status_code == 201
    assert play(people.student, lesson).status_code == 200
    refused(play(people.colleague, lesson), 403, "purchase_required")


def test_what_was_bought_still_plays_when_it_is_taken_back(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    factories.make_purchase(lesson, people.student.user)
    people.instructor.patch(f"/lessons/{lesson.id}", {"status": "draft"})
    assert play(people.student, lesson).status_code == 200
    refused(play(people.named("other", "student"), lesson), 404)


@pytest.mark.parametrize("status", ["none", "uploading", "processing", "error", "deleting"])
def test_a_video_that_is_not_ready(people: People, status: str) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status=status)
    for person in (people.instructor, people.support):
        refused(play(person, lesson), 409, "not_ready")
    refused(play(people.student, lesson), 404)
    factories.make_purchase(lesson, people.student.user)
    refused(play(people.student, lesson), 409, "not_ready")


# buying


def test_buying_twice_is_buying_once(people: People, session: Session) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    first = people.student.post(f"/lessons/{lesson.id}/purchase")
    again = people.student.post(f"/lessons/{lesson.id}/purchase")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert list(first.get_json()) == ["id", "lesson_id", "user_id", "price_cents", "created_at"]
    assert first.get_json()["price_cents"] == 900
    _is_bought_once(session)


def test_buying_many_times_at_once_is_buying_once(people: People, session: Session) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    student, statuses = people.student, []

    def buy() -> None:
        statuses.append(student.post(f"/lessons/{lesson.id}/purchase").status_code)

    threads = [threading.Thread(target=buy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 201]
    _is_bought_once(session)


def _is_bought_once(session: Session) -> None:
    assert session.scalar(select(func.count()).select_from(Purchase)) == 1
    made = session.scalars(select(AuditLog).where(AuditLog.action == "purchase.made")).all()
    assert len(made) == 1


def test_the_price_is_that_of_the_day(people: People) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, price_cents=900)
    people.student.post(f"/lessons/{lesson.id}/purchase")
    people.instructor.patch(f"/lessons/{lesson.id}", {"price_cents": 100})
    assert people.student.post(f"/lessons/{lesson.id}/purchase").get_json()["price_cents"] == 900


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "draft"},
        {"video_processing_status": "processing"},
        {"mux_playback_id": None},
    ],
)
def test_what_cannot_be_bought(people: People, columns: dict[str, Any]) -> None:
    lesson = factories.make_playing_lesson(creator=people.instructor.user, **columns)
    refused(people.student.post(f"/lessons/{lesson.id}/purchase"), 409, "not_for_sale")


def test_what_does_not_exist_cannot_be_bought(people: People) -> None:
    refused(people.student.post("/lessons/00000000-0000-7000-8000-000000000000/purchase"), 404)


def test_a_student_reports_and_reads_what_is_stored(people: People) -> None:
    lesson = factories.make_playing_lesson()
    answer = people.student.post(f"/lessons/{lesson.id}/progress", {"seconds": 12.5, "duration": 61})
    assert (answer.status_code, answer.json) == (200, {"seconds": 12.5, "done_at": None})
    answer = people.student.post(f"/lessons/{lesson.id}/progress", {"seconds": 60, "duration": 61.2})
    assert answer.json is not None
    assert answer.json["done_at"] is not None
    paid = factories.make_playing_lesson(price_cents=500)
    answer = people.student.post(f"/lessons/{paid.id}/progress", {"seconds": 12.5, "duration": 61})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"seconds": -1, "duration": 61}, "seconds", "This must be 0 or more."),
        ({"seconds": True, "duration": 61}, "seconds", "This must be a number."),
        ({"seconds": "5", "duration": 61}, "seconds", "This must be a number."),
        ({"seconds": 5, "duration": 0}, "duration", "This must be more than 0."),
        ({"seconds": 5}, "duration", "This is required."),
        ({"seconds": 1e7, "duration": 1e7}, "duration", "This must be 1000000 or less."),
        ({"seconds": 5, "duration": 61, "at": "2026-11-30T12:00:00Z"}, "at", "There is no such field."),
    ],
)
def test_an_odd_report_is_refused(people: People, body: dict[str, Any], field: str, words: str) -> None:
    lesson = factories.make_playing_lesson()
    answer = people.student.post(f"/lessons/{lesson.id}/progress", body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["fields"][field] == words


def test_a_number_beyond_all_numbers_is_refused(people: People) -> None:
    lesson = factories.make_playing_lesson()
    answer = people.student.post(
        f"/lessons/{lesson.id}/progress",
        data='{"seconds": 1e400, "duration": 61}',
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["fields"] == {"seconds": "This number is too large or too small."}


def test_a_student_marks_a_lesson_as_done_and_not_done(people: People) -> None:
    address = f"/lessons/{factories.make_playing_lesson().id}/done"
    answer = people.student.post(address)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["done_at"] is not None
    assert people.student.post(address).json == answer.json
    assert people.student.delete(address).json == {"done_at": None}
    locked = f"/lessons/{factories.make_playing_lesson(price_cents=500).id}/done"
    refused(people.student.post(locked), 403, "purchase_required")
    refused(people.student.delete(locked), 403, "purchase_required")
