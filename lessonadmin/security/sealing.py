"""Secrets that have to be read again, as they stand in the database: encrypted and bound to what they belong to.

AES-GCM under a key that HKDF makes of SECRET_KEY. What a key of SECRET_KEY_FALLBACKS has sealed is still opened. A text that was
changed, or moved to another row, is never opened. A secret that only has to be compared is hashed instead.
"""

import base64
import binascii
import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lessonadmin import config

NONCE_BYTES = 12
PURPOSE = b"lessonadmin sealed secrets 1"


class Unreadable(Exception):
    """No key that is known here has sealed this, or it was changed."""


@lru_cache(maxsize=16)
def _key(secret_key: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())


def _name(key: bytes) -> str:
    """What tells two keys apart and says nothing of either."""
    return hashlib.sha256(b"name of a key:" + key).hexdigest()[:12]


def known_keys() -> list[str]:
    """The names of the keys that open, first the one that seals; its name stands before each text that a key has sealed."""
    settings = config.current()
    return [_name(_key(one)) for one in (settings.secret_key, *settings.secret_key_fallbacks)]


def sealed(secret: bytes, *, of: str) -> str:
    """The secret of this thing, as it is stored."""
    key, nonce = _key(config.current().secret_key), secrets.token_bytes(NONCE_BYTES)
    closed = AESGCM(key).encrypt(nonce, secret, of.encode())
    return f"{_name(key)}:{base64.b64encode(nonce + closed).decode()}"


def opened(text: str, *, of: str) -> bytes:
    """The secret again, if it was sealed for this thing; Unreadable otherwise."""
    named, _, body = text.partition(":")
    settings = config.current()
    for secret_key in (settings.secret_key, *settings.secret_key_fallbacks):
        key = _key(secret_key)
        if _name(key) == named:
            try:
                both = base64.b64decode(body, validate=True)
                return AESGCM(key).decrypt(both[:NONCE_BYTES], both[NONCE_BYTES:], of.encode())
            except (InvalidTag, binascii.Error, ValueError):
                break
    raise Unreadable


def is_under_present_key(text: str) -> bool:
    return text.partition(":")[0] == known_keys()[0]
