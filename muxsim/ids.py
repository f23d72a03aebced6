"""Identifiers that look like Mux's: 44 letters and digits, a pure function of seed, kind and a persisted counter.

The same seed gives the same ids in the same order; because the counters live in the state file and a reset does
not rewind them, an id never comes twice, whatever is restarted or reset.
"""

import hashlib
import random
import re
import uuid

from muxsim.store import Store

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 44
LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
WELL_FORMED = re.compile(r"[A-Za-z0-9]{16,64}\Z")
UUID_FORMED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


class Ids:
    """Hands out ids and seeded random generators."""

    def __init__(self, store: Store, seed: str) -> None:
        self._store = store
        self.seed = seed

    def new(self, kind: str) -> str:
        return self._spell(kind, self._store.count_up(kind))

    def new_many(self, kind: str, count: int) -> list[str]:
        last = self._store.count_up(kind, count)
        return [self._spell(kind, number) for number in range(last - count + 1, last + 1)]

    def new_uuid(self, kind: str) -> str:
        digest = hashlib.sha256(f"{self.seed}|{kind}|{self._store.count_up(kind)}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def new_secret(self, kind: str) -> str:
        """As Mux's webhook secrets are: 32 lower-case letters and digits, without a prefix."""
        return self.new(kind).lower()[:32]

    def random(self, purpose: str) -> random.Random:
        """A generator for one purpose, so that one kind of chance does not disturb another."""
        return random.Random(f"{self.seed}|{purpose}")  # noqa: S311 - repeatable on purpose, not a secret # nosec B311

    def _spell(self, kind: str, number: int) -> str:
        return (
            hashlib.shake_256(f"{self.seed}|{kind}|{number}".encode())
            .digest(LENGTH)
            .translate(LETTERS)
            .decode()
        )


def is_well_formed(text: str) -> bool:
    return bool(WELL_FORMED.match(text))
