"""Signing keys: only the public halves are kept."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from muxsim.clock import Clock
from muxsim.store import Store


class SigningKeys:
    """The signing_keys table."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, key_id: str, env: str, key: RSAPublicKey) -> float:
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
        now = self._clock.now()
        with self._store.lock:
            seq = self._store.count_up("signing_key_order")
            self._store.run(
                "INSERT OR REPLACE INTO signing_keys VALUES (?,?,?,?,?)", key_id, seq, env, now, pem
            )
        return now

    def remove(self, key_id: str) -> None:
        self._store.run("DELETE FROM signing_keys WHERE id = ?", key_id)

    def created_at(self, key_id: str, env: str) -> float | None:
        row = self._store.one("SELECT created_at FROM signing_keys WHERE id = ? AND env = ?", key_id, env)
        return None if row is None else float(row[0])

    def public_pem(self, key_id: str, env: str) -> str | None:
        row = self._store.one("SELECT public_pem FROM signing_keys WHERE id = ? AND env = ?", key_id, env)
        return None if row is None else str(row[0])

    def page(self, env: str, limit: int, offset: int) -> list[tuple[str, float]]:
        rows = self._store.all(
            "SELECT id, created_at FROM signing_keys WHERE env = ? ORDER BY seq DESC LIMIT ? OFFSET ?",
            env,
            limit,
            offset,
        )
        return [(row["id"], row["created_at"]) for row in rows]
