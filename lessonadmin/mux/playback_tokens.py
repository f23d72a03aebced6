"""Tokens that let one viewer play one signed video for a while: RS256, made here, checked by Mux.

A token on a public playback id makes playback fail, so callers ask for one only when the id's policy is `signed`.
Mux's Python package cannot make them.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lessonadmin import config

Audience = Literal["v", "t", "s", "g"]
"""v: video and captions, t: thumbnail, s: storyboard, g: animated image. Each needs a token of its own."""

MIN_KEY_BITS = 2048


class BadSigningKey(Exception):
    """MUX_SIGNING_PRIVATE_KEY is not a key that can sign; the text says why and never shows it."""


def _pem(text: str) -> bytes:
    """Mux hands the key out as base64 of a PEM; people also paste the PEM itself, some with `\\n` for its lines."""
    if "-----BEGIN" in text:
        return text.replace("\\n", "\n").strip().encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        raise BadSigningKey("MUX_SIGNING_PRIVATE_KEY is neither a PEM nor base64 of a PEM.") from None


@lru_cache(maxsize=4)
def _key(text: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(_pem(text), password=None)
    except TypeError:
        raise BadSigningKey("MUX_SIGNING_PRIVATE_KEY is protected by a password; it must not be.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadSigningKey("MUX_SIGNING_PRIVATE_KEY holds no private key that can be read.") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise BadSigningKey(f"MUX_SIGNING_PRIVATE_KEY must be an RSA key of at least {MIN_KEY_BITS} bits.")
    return key


def check_signing_key() -> None:
    """Raise BadSigningKey if a key is set that cannot sign; no key set is fine."""
    settings = config.current()
    if settings.signs_playback and settings.mux_signing_private_key:
        _key(settings.mux_signing_private_key)


def playback_token(
    playback_id: str,
    *,
    audience: Audience,
    seconds: int,
    options: Mapping[str, str | int | float] | None = None,
) -> str | None:
    """A token for this playback id, or None when no signing key is set. `options`: the size of a picture, and such."""
    settings = config.current()
    key_id, key = settings.mux_signing_key_id, settings.mux_signing_private_key
    if not key_id or not key:
        return None
    if not playback_id or seconds <= 0:
        raise ValueError("a token needs a playback id and a life")
    # Mux's own package names the key in the claims, others in the header: both are understood, so both are written.
    claims = {
        **(options or {}),
        "sub": playback_id,
        "aud": audience,
        "exp": int(time.time()) + seconds,
        "kid": key_id,
    }
    return jwt.encode(claims, _key(key), algorithm="RS256", headers={"kid": key_id})
