"""The token against forged requests as it goes out: under a new mask in each answer, so that no two answers hold the same bytes.

The length of compressed answers tells of a secret only if it stays the same from one answer to the next.
"""

import base64
import binascii
import secrets

MARK = "m."


def masked(token: str) -> str:
    """Another text each time; `unmasked` has the token again."""
    plain = token.encode()
    pad = secrets.token_bytes(len(plain))
    return MARK + base64.urlsafe_b64encode(pad + _mixed(pad, plain)).decode().rstrip("=")


def unmasked(text: str) -> str:
    """The token; a text that is no masked one stays what it is, and is refused for that."""
    if not text.startswith(MARK):
        return text
    body = text.removeprefix(MARK)
    try:
        both = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return _mixed(both[: len(both) // 2], both[len(both) // 2 :]).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text


def _mixed(pad: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(pad, text, strict=True))
