"""Direct uploads as records: created, looked up, shown. What happens to them is decided in ``lifecycle``."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from muxsim.store import Doc, Store


@dataclass
class Upload:
    """A row of the uploads table."""

    id: str
    env: str
    created_at: float
    deadline: float
    status: str
    token: str
    total: int | None
    doc: Doc

    @property
    def asset_id(self) -> str | None:
        found = self.doc.get("asset_id")
        return found if isinstance(found, str) else None

    @property
    def settings(self) -> Doc:
        settings = self.doc.get("new_asset_settings")
        return settings if isinstance(settings, dict) else {}

    def shown(self, *, url: str | None = None) -> Doc:
        """The upload as the API shows it; the URL only while it is of use."""
        body: Doc = {"url": url} if url and self.status == "waiting" else {}
        body.update(self.doc)
        body["id"], body["status"] = self.id, self.status
        return body


class Uploads:
    """The uploads table and the files beside it."""

    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def insert(self, upload: Upload) -> None:
        self._store.run(
            "INSERT INTO uploads (id, env, created_at, deadline, status, token, total, doc) VALUES (?,?,?,?,?,?,?,?)",
            upload.id, upload.env, upload.created_at, upload.deadline, upload.status, upload.token, upload.total,
            json.dumps(upload.doc),
        )  # fmt: skip

    def save(self, upload: Upload) -> None:
        self._store.run(
            "UPDATE uploads SET status = ?, total = ?, doc = ? WHERE id = ?",
            upload.status, upload.total, json.dumps(upload.doc), upload.id,
        )  # fmt: skip

    def get(self, upload_id: str, env: str | None = None) -> Upload | None:
        row = self._store.one("SELECT * FROM uploads WHERE id = ?", upload_id)
        return None if row is None or (env is not None and row["env"] != env) else _upload(row)

    def page(self, env: str | None, limit: int, offset: int) -> list[Upload]:
        rows = self._store.all(
            "SELECT * FROM uploads WHERE (?1 IS NULL OR env = ?1) ORDER BY seq DESC LIMIT ?2 OFFSET ?3",
            env, limit, offset,
        )  # fmt: skip
        return [_upload(row) for row in rows]

    def file_of(self, upload_id: str) -> Path:
        return self._directory / f"{upload_id}.part"

    def received(self, upload_id: str) -> int:
        path = self.file_of(upload_id)
        return path.stat().st_size if path.exists() else 0

    def drop_file(self, upload_id: str) -> None:
        self.file_of(upload_id).unlink(missing_ok=True)


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(
        row["id"], row["env"], row["created_at"], row["deadline"], row["status"], row["token"], row["total"],
        json.loads(row["doc"]),
    )  # fmt: skip
