"""A passkey in software: makes keys and signs, as a phone would, and lies where a test wants it to.

The answers are the JSON that `static/js/behaviours/passkey.js` sends. Every part that a server has to check is a field or an argument.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost"
RP = "localhost"


def to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key. `counter` goes up with each use; zero for ever is what synchronised passkeys have."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    counter: int = 0
    counts: bool = True

    def make(self, options: str, **lies: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        asked = json.loads(options)
        self.handle = to_bytes(asked["user"]["id"])
        client = self._client("webauthn.create", asked["challenge"], lies)
        key = self.credential_id, self._public_key()
        attested = bytes(16) + len(key[0]).to_bytes(2, "big") + key[0] + key[1]
        flags = lies.get("flags", PRESENT | VERIFIED) | ATTESTED
        data = self._data(lies, flags) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._whole({"clientDataJSON": to_text(client), "attestationObject": to_text(made)})

    def sign(self, options: str, **lies: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        asked = json.loads(options)
        if self.counts:
            self.counter += 1
        client = self._client("webauthn.get", asked["challenge"], lies)
        data = self._data(lies, lies.get("flags", PRESENT | VERIFIED))
        signed = lies.get("key", self.key).sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {
            "clientDataJSON": to_text(client),
            "authenticatorData": to_text(data),
            "signature": to_text(signed),
        }
        handle = lies.get("handle", self.handle)
        return self._whole(answer | ({"userHandle": to_text(handle)} if handle is not None else {}))

    def _client(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        given = {
            "type": lies.get("kind", kind),
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", ORIGIN),
            "crossOrigin": False,
        }
        return json.dumps(given).encode()

    def _data(self, lies: dict[str, Any], flags: int) -> bytes:
        name = hashlib.sha256(lies.get("rp", RP).encode()).digest()
        return name + bytes([flags]) + lies.get("counter", self.counter).to_bytes(4, "big")

    def _public_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _whole(self, response: dict[str, str]) -> str:
        name = to_text(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
