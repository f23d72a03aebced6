"""Plain requests to the host that takes the bytes: one attempt, no sign-in, and answers as they are."""

import logging

import pytest

from lessonadmin.mux.errors import MuxError
from lessonadmin.mux.probe import upload_host
from tests.mux import fake_server
from tests.mux.fake_server import FakeServer, answer

SECRET = "token=" + "s" * 30


@pytest.mark.parametrize("status", [200, 308, 403, 404, 410, 500, 503])
def test_an_answer_comes_as_it_is_whatever_its_status(fake: FakeServer, status: int) -> None:
    fake.script(
        answer(b"as it is", status, Range="bytes=0-9", Retry_After="60", Location=f"{fake.url}/other")
    )
    found = upload_host.ask("GET", f"{fake.url}/u1?{SECRET}")
    assert (found.status, found.body, found.headers["Range"]) == (status, b"as it is", "bytes=0-9")
    assert [(one.method, one.path) for one in fake.asked] == [("GET", f"/u1?{SECRET}")]


def test_it_signs_in_nowhere_and_sends_just_the_headers_that_were_given(fake: FakeServer) -> None:
    fake.script(answer(b""))
    upload_host.ask("OPTIONS", f"{fake.url}/u1", headers={"Origin": "https://lessons.example"})
    sent = fake.asked[0].headers
    assert sent["origin"] == "https://lessons.example"
    assert "authorization" not in sent


@pytest.mark.parametrize(("method", "sent"), [("PUT", b"bytes"), ("GET", b""), ("OPTIONS", b"")])
def test_only_a_put_carries_bytes(fake: FakeServer, method: str, sent: bytes) -> None:
    fake.script(answer(b""))
    upload_host.ask(method, f"{fake.url}/u1", body=b"bytes")
    assert fake.asked[0].body == sent


def test_an_empty_put_says_that_it_is_empty(fake: FakeServer) -> None:
    fake.script(answer(b"", 308))
    upload_host.ask("PUT", f"{fake.url}/u1", headers={"Content-Range": "bytes */10"})
    assert fake.asked[0].headers["content-length"] == "0"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("script", "category"),
    [
        (fake_server.hang, "timeout"),
        (fake_server.reset, "network"),
        (fake_server.hang_up, "network"),
        (answer(b"half", length=99), "network"),
        (answer(b" " * (64 * 1024 + 1)), "unknown"),
        (fake_server.trickle(b"HTTP/1.1 200 OK\r\n\r\n", every=0.1), "timeout"),
    ],
    ids=["hang", "reset", "hang up", "half an answer", "too long", "trickle"],
)
def test_where_no_answer_comes_there_was_one_attempt_and_no_address_is_told(
    fake: FakeServer, script: fake_server.Script, category: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.script(script)
    with pytest.raises(MuxError) as caught:
        upload_host.ask("PUT", f"{fake.url}/u1?{SECRET}", body=b"bytes")
    assert caught.value.category == category
    assert len(fake.asked) == 1
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(
        one.getMessage() for one in caplog.records if one.name.startswith("lessonadmin")
    )
