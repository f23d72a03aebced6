"""The text of captions as players get it: the address, the token, and what each answer means."""

import pytest

from lessonadmin import mux
from tests.mux.fake_server import FakeServer, answer
from tests.settings import overridden


def read(fake: FakeServer, *, token: str | None = None) -> bytes:
    with overridden(mux_stream_url=fake.url):
        return mux.read_captions("play1", "track1", token=token, priority="low")


@pytest.mark.parametrize(("token", "query"), [(None, ""), ("abc.def", "?token=abc.def")])
def test_the_text_is_what_the_server_sends(fake: FakeServer, token: str | None, query: str) -> None:
    fake.script(answer(b"WEBVTT\n"))
    assert read(fake, token=token) == b"WEBVTT\n"
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("GET", f"/play1/text/track1.vtt{query}")
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "nonsense"), (403, "nonsense"), (302, "nonsense"), (429, "later"), (503, "later")],
)
def test_every_other_answer_says_nothing_about_the_video(fake: FakeServer, status: int, kind: str) -> None:
    fake.script(answer(b"x", status))
    with pytest.raises(mux.MuxError) as found:
        read(fake)
    assert found.value.kind == kind


def test_no_answer_is_an_answer_for_later(fake: FakeServer) -> None:
    fake.script(answer(b"x", length=100))
    with pytest.raises(mux.MuxError) as found:
        read(fake)
    assert found.value.kind == "later"


@pytest.mark.parametrize("odd", ["../x", "", "a/b"])
def test_a_wrong_id_is_refused_before_anything_is_sent(fake: FakeServer, odd: str) -> None:
    with pytest.raises(mux.MuxError), overridden(mux_stream_url=fake.url):
        mux.read_captions("play1", odd, token=None, priority="low")
    assert fake.asked == []
