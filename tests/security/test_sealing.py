"""Sealed secrets: opened with the keys that are known, for the thing that they belong to, and as they were."""

import base64

import pytest

from lessonadmin.config import Settings
from lessonadmin.security import sealing
from tests.settings import overridden

SECRET = b"twenty bytes of noise"


def test_a_secret_comes_back_and_never_looks_the_same(settings: Settings) -> None:
    first, second = (sealing.sealed(SECRET, of="a thing") for _ in range(2))
    assert first != second
    assert sealing.opened(first, of="a thing") == sealing.opened(second, of="a thing") == SECRET
    assert base64.b64encode(SECRET).decode()[:8] not in first


def test_it_opens_for_nothing_but_what_it_was_sealed_for(settings: Settings) -> None:
    text = sealing.sealed(SECRET, of="a thing")
    with pytest.raises(sealing.Unreadable):
        sealing.opened(text, of="another thing")


@pytest.mark.parametrize(
    "wrong", ["", "x", "no-key:AAAA", "{name}:", "{name}:AAAA", "{name}:%%%", "{name}:é"]
)
def test_what_was_never_sealed_is_unreadable(settings: Settings, wrong: str) -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.opened(wrong.replace("{name}", sealing.known_keys()[0]), of="a thing")


def test_a_changed_text_is_unreadable(settings: Settings) -> None:
    name, _, body = sealing.sealed(SECRET, of="a thing").partition(":")
    for place in (0, 5, len(body) // 2):
        changed = body[:place] + ("A" if body[place] != "A" else "B") + body[place + 1 :]
        with pytest.raises(sealing.Unreadable):
            sealing.opened(f"{name}:{changed}", of="a thing")


def test_a_former_key_opens_and_the_present_one_seals(settings: Settings) -> None:
    text = sealing.sealed(SECRET, of="a thing")
    with overridden(secret_key="another key", secret_key_fallbacks=(settings.secret_key,)):
        assert not sealing.is_under_present_key(text)
        assert sealing.opened(text, of="a thing") == SECRET
        assert sealing.is_under_present_key(sealing.sealed(SECRET, of="a thing"))
        assert len(set(sealing.known_keys())) == 2
    with overridden(secret_key="another key"), pytest.raises(sealing.Unreadable):
        sealing.opened(text, of="a thing")
