"""Playback tokens as Mux will check them: with the public half, by the key's name, until they expire."""

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lessonadmin.mux import Audience, BadSigningKey, check_signing_key, playback_token
from tests.settings import overridden

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NONE = serialization.NoEncryption()


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = KEY,
    form: serialization.PrivateFormat = serialization.PrivateFormat.TraditionalOpenSSL,
    lock: serialization.KeySerializationEncryption = NONE,
) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "base64 of a PEM, as Mux gives it": b64(pem()),
    "with line breaks": base64.encodebytes(pem().encode()).decode(),
    "a raw PEM": pem(),
    "a PEM on one line": pem().replace("\n", "\\n"),
    "PKCS 8": pem(form=serialization.PrivateFormat.PKCS8),
}


def token(key: str, audience: Audience = "v", seconds: int = 60) -> str:
    with overridden(mux_signing_key_id="key-1", mux_signing_private_key=key):
        made = playback_token("pid", audience=audience, seconds=seconds)
    assert made is not None
    return made


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_the_key_signs(form: str) -> None:
    claims = jwt.decode(token(form), KEY.public_key(), algorithms=["RS256"], audience="v")
    assert (claims["sub"], claims["kid"]) == ("pid", "key-1")


@pytest.mark.parametrize("audience", ["v", "t", "s", "g"])
def test_it_holds_what_mux_wants_and_nothing_else(audience: Audience) -> None:
    made = token(b64(pem()), audience, 3600)
    assert jwt.get_unverified_header(made) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    claims = jwt.decode(made, KEY.public_key(), algorithms=["RS256"], audience=audience)
    assert set(claims) == {"sub", "aud", "exp", "kid"}
    assert abs(claims["exp"] - time.time() - 3600) < 5


def test_another_key_did_not_sign_it() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token(pem()), other.public_key(), algorithms=["RS256"], audience="v")


def test_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessonadmin.mux.playback_tokens.time.time", lambda: 1_700_000_000.0)
    made = token(pem())
    monkeypatch.undo()
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(made, KEY.public_key(), algorithms=["RS256"], audience="v")


@pytest.mark.parametrize("missing", [{}, {"mux_signing_key_id": "k"}, {"mux_signing_private_key": "k"}])
def test_without_a_key_there_is_no_token_and_no_complaint(missing: dict[str, str]) -> None:
    with overridden(**missing):
        assert playback_token("pid", audience="v", seconds=60) is None
        check_signing_key()


@pytest.mark.parametrize(("playback_id", "seconds"), [("", 60), ("pid", 0), ("pid", -5)])
def test_a_token_for_nothing_is_a_mistake_of_the_caller(playback_id: str, seconds: int) -> None:
    with (
        overridden(mux_signing_key_id="k", mux_signing_private_key=pem()),
        pytest.raises(ValueError, match="playback id and a life"),
    ):
        playback_token(playback_id, audience="v", seconds=seconds)


BAD = {
    "not base64": ("ü not a key", "neither a PEM nor base64"),
    "base64 of nothing": (b64("hello"), "no private key"),
    "a public key": (
        KEY.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        "no private key",
    ),
    "cut off": (pem()[:200], "no private key"),
    "not RSA": (
        pem(ec.generate_private_key(ec.SECP256R1()), serialization.PrivateFormat.PKCS8),
        "must be an RSA key",
    ),
    "too short": (
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - the point of the test
        "at least 2048 bits",
    ),
    "locked": (pem(lock=serialization.BestAvailableEncryption(b"pw")), "protected by a password"),
}


@pytest.mark.parametrize(("key", "says"), BAD.values(), ids=BAD.keys())
def test_a_bad_key_is_found_by_the_check_and_never_shown(key: str, says: str) -> None:
    with overridden(mux_signing_key_id="k", mux_signing_private_key=key):
        with pytest.raises(BadSigningKey, match=says) as caught:
            check_signing_key()
        with pytest.raises(BadSigningKey, match=says):
            playback_token("pid", audience="v", seconds=60)
    assert "\n" not in str(caught.value)
    assert key[30:60] == "" or key[30:60] not in str(caught.value)


def test_a_good_key_passes_the_check() -> None:
    with overridden(mux_signing_key_id="k", mux_signing_private_key=pem()):
        check_signing_key()
