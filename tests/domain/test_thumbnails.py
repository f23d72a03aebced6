"""Still pictures: the size stands in the address, or inside the token of a signed video."""

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lessonadmin.domain import playback, thumbnails
from tests.factories import make_lesson, make_playing_lesson
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
IMAGES = "https://image.example"


@pytest.fixture(autouse=True)
def images(app: object) -> Iterator[None]:
    with overridden(mux_image_url=IMAGES):
        yield


@pytest.fixture
def signing(app: object) -> Iterator[None]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    with overridden(mux_signing_key_id="key-1", mux_signing_private_key=base64.b64encode(pem).decode()):
        yield


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_a_public_picture_has_its_size_in_the_address() -> None:
    address = thumbnails.thumbnail(make_playing_lesson(mux_playback_id="abc"), width=320, height=180) or ""
    assert address.startswith(f"{IMAGES}/abc/thumbnail.jpg?")
    assert query(address) == {"width": ["320"], "height": ["180"], "fit_mode": ["smartcrop"]}


def test_a_signed_picture_has_its_size_in_the_token_alone(signing: None) -> None:
    lesson = make_playing_lesson(playback_policy="signed")
    address = thumbnails.thumbnail(lesson, width=320, height=180) or ""
    assert set(query(address)) == {"token"}
    claims = jwt.decode(query(address)["token"][0], options={"verify_signature": False})
    assert (claims["sub"], claims["aud"]) == (lesson.mux_playback_id, "t")
    assert (int(claims["width"]), int(claims["height"])) == (320, 180)


def test_without_a_key_a_signed_video_has_no_picture() -> None:
    lesson = make_playing_lesson(playback_policy="signed")
    assert thumbnails.thumbnail(lesson, width=320, height=180) is None
    with overridden(mux_signing_key_id="key-1", mux_signing_private_key="nonsense"):
        assert thumbnails.thumbnail(lesson, width=320, height=180) is None


def test_while_nothing_plays_there_is_no_picture() -> None:
    for lesson in (make_lesson(), make_playing_lesson(video_processing_status="deleting")):
        assert thumbnails.thumbnail(lesson, width=320, height=180) is None


@pytest.mark.parametrize(("token", "ending"), [(None, ""), ("secret", "?token=secret")])
def test_a_storyboard_is_signed_like_its_video(token: str | None, ending: str) -> None:
    source = playback.Source(
        src="", playback_id="abc", policy="", token=None, thumbnail_token=None, storyboard_token=token
    )
    assert thumbnails.storyboard(source) == f"{IMAGES}/abc/storyboard.vtt{ending}"
