"""What the probe keeps: answers as they came, with nothing in them that opens or names anything."""

import pytest

from lessonadmin.mux.errors import Later
from lessonadmin.mux.probe.record import MAX_WORDS, Record
from lessonadmin.outbound import Answer

UPLOAD_ID, TOKEN = "u" * 30, "t" * 40
ADDRESS = f"https://x.example/upload/{UPLOAD_ID}?token={TOKEN}"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def record(told: list[str]) -> Record:
    """Knows the address of an upload, and its id."""
    made = Record(told.append)
    made.hide_address("upload url", ADDRESS)
    made.hide("upload", UPLOAD_ID)
    return made


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"see {UPLOAD_ID}", "see [upload]"),
        (f"see {ADDRESS}", "see [upload url]"),
        (f"of {TOKEN}.", "of [upload url]."),
        (f"at https://other.example/{UPLOAD_ID}", "at [address]"),
        ("an upload failed", "an upload failed"),
        ("two\nlines", "two lines"),
    ],
)
def test_what_is_secret_is_replaced_by_what_it_is(record: Record, text: str, kept: str) -> None:
    assert record.masked(text) == kept


def test_the_longer_of_two_secrets_is_replaced_first() -> None:
    record = Record(lambda line: None)
    record.hide("key", "abcdef")
    record.hide("token", "abcdef123456")
    assert record.masked("abcdef123456 abcdef") == "[token] [key]"


@pytest.mark.parametrize("text", [None, "", "short"])
def test_ordinary_words_are_not_hidden(text: str | None) -> None:
    record = Record(lambda line: None)
    record.hide("id", text)
    assert record.masked("a short answer") == "a short answer"


def test_short_parts_of_an_address_are_ordinary_words() -> None:
    record = Record(lambda line: None)
    record.hide_address("upload url", "https://x.example/upload/waiting?name=value")
    assert record.masked("the upload is waiting for a value") == "the upload is waiting for a value"


def test_a_body_is_cut_only_when_nothing_secret_is_in_it_any_more(record: Record) -> None:
    long = "x" * (MAX_WORDS - 10) + TOKEN  # where a cut would leave a part of it
    record.keep("a long answer", Answer(200, {"Server": long}, long.encode()))
    assert "ttt" not in str(record.findings)
    assert len(record.findings[0]["body"]) <= MAX_WORDS
    assert len(record.findings[0]["headers"]["server"]) <= MAX_WORDS


def test_only_headers_of_the_protocol_are_kept(record: Record) -> None:
    headers = {
        "Range": "bytes=0-9",
        "Access-Control-Allow-Origin": "https://lessons.example",
        "X-RateLimit-Remaining": "7",
        "Content-Type": "text/plain\x1b[31m",
        "Location": ADDRESS,
        "Set-Cookie": "session=1",
        "X-Goog-Hash": "abc",
    }
    record.keep("headers", Answer(308, headers, b""))
    assert record.findings[0]["headers"] == {
        "access-control-allow-origin": "https://lessons.example",
        "content-type": "text/plain\\x1b[31m",
        "range": "bytes=0-9",
        "x-ratelimit-remaining": "7",
    }


def test_an_answer_is_kept_with_what_was_asked_and_told_in_a_line(record: Record, told: list[str]) -> None:
    answer = Answer(404, {"Server": "nginx"}, b'{"error": 1}')
    assert record.ask("is it there?", lambda: answer, sent="GET") is answer
    found = record.findings[0]
    assert found.pop("ms") >= 0
    assert found == {
        "question": "is it there?",
        "sent": "GET",
        "status": 404,
        "headers": {"server": "nginx"},
        "body": '{"error": 1}',
    }
    record.note("how many?", 3)
    assert record.findings[1] == {"question": "how many?", "found": 3}
    assert told == ["is it there?: 404", "how many?: 3"]


def test_a_question_that_brought_no_answer_is_kept_with_the_reason(record: Record, told: list[str]) -> None:
    def fails() -> Answer:
        raise Later(f"Mux did not answer about {UPLOAD_ID}.", category="timeout")

    assert record.ask("is it there?", fails, sent="GET") is None
    (found,) = record.findings
    assert (found["question"], found["sent"]) == ("is it there?", "GET")
    assert found["no_answer"].startswith("timeout: Mux did not answer about [upload]")
    assert told == [f"is it there?: {found['no_answer']}"]
