"""A school for browser tests: courses and lessons in whatever state, with real assets behind those that play."""

import base64
import json
import urllib.request
import uuid
from typing import Any

import psycopg

from tests.browser.stack import TOKENS, Person, Stack

BASIC = "Basic " + base64.b64encode(":".join(TOKENS[0][:2]).encode()).decode()


class School:
    """What an instructor has, written as rows; `owner` is the instructor of everything."""

    def __init__(self, stack: Stack, owner: Person) -> None:
        self.stack = stack
        self.owner = owner

    def insert(self, *rows: tuple[str, dict[str, Any]]) -> str:
        """Rows in one transaction, so that no process meets a half; the id of the first."""
        address = "postgresql://" + self.stack.database.partition("://")[2]
        ids = []
        with psycopg.connect(address) as connection:
            for table, columns in rows:
                given = {"id": str(uuid.uuid4()), **columns}
                names, places = ", ".join(given), ", ".join(["%s"] * len(given))
                connection.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - names that the tests write
                    list(given.values()),
                )
                ids.append(given["id"])
        return str(ids[0])

    def _asset(self, policy: str, seconds: float, *, real: bool | bytes) -> dict[str, Any]:
        """A video at the simulator: one of which only the picture is there, or a real one that plays."""
        if real:
            asset_id = self._send(real if isinstance(real, bytes) else None)
            seconds = self.stack.mux.asset(asset_id)["duration"]
        else:
            (asset_id,) = self.stack.mux.seed_assets(policy=policy, duration=seconds)
        playback_id = self.stack.mux.asset(asset_id)["playback_ids"][0]["id"]
        return {"asset_id": asset_id, "playback_id": playback_id, "policy": policy, "seconds": seconds}

    def mux_upload(self) -> str:
        """An upload at the simulator that waits for its file."""
        body = {"cors_origin": "*", "new_asset_settings": {"playback_policies": ["public"]}}
        request = urllib.request.Request(
            f"{self.stack.simulator.url}/video/v1/uploads",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": BASIC},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["data"]["id"])

    def _send(self, data: bytes | None = None) -> str:
        mux, upload_id = self.stack.mux, self.mux_upload()
        mux.upload_file(upload_id, data)
        asset_id = mux.wait_for(lambda: mux.upload(upload_id).get("asset_id"))
        mux.set_asset_ready(asset_id)
        return str(asset_id)

    def _film(self, owner_column: str, owner_id: str, film: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The row of the upload that plays."""
        return "mux_asset_tracking", {
            owner_column: owner_id,
            "owner_id": self.owner.id,
            "upload_id": f"upload-{uuid.uuid4()}",
            "status": "ready",
            "mux_asset_id": film["asset_id"],
            "mux_playback_id": film["playback_id"],
            "playback_policy": film["policy"],
            "duration": film["seconds"],
            "ready_at": "now",
        }

    def course(self, title: str, *, description: str = "", preview: bool = False) -> str:
        course_id = str(uuid.uuid4())
        columns: dict[str, Any] = {
            "id": course_id,
            "title": title,
            "description": description,
            "instructor_id": self.owner.id,
        }
        if not preview:
            return self.insert(("courses", columns))
        film = self._asset("public", 20.0, real=True)
        columns |= {
            "mux_preview_asset_id": film["asset_id"],
            "mux_preview_playback_id": film["playback_id"],
            "playback_policy": "public",
            "video_duration": film["seconds"],
            "video_processing_status": "ready",
        }
        return self.insert(("courses", columns), self._film("course_id", course_id, film))

    def lesson(
        self,
        title: str,
        *,
        price: int = 0,
        course: str | None = None,
        seconds: float = 61.0,
        real: bool | bytes = False,
        **columns: Any,
    ) -> str:
        """A published lesson; `real`: its video can be played in the player, that of these bytes. `columns` make it another one."""
        film = self._asset("public", seconds, real=real)
        given = {
            "id": str(uuid.uuid4()),
            "title": title,
            "creator_id": self.owner.id,
            "course_id": course,
            "price_cents": price,
            "status": "published",
            "publish_on_ready": False,
            "published_at": "now",
            "video_processing_status": "ready",
            "video_duration": film["seconds"],
            "mux_asset_id": film["asset_id"],
            "mux_playback_id": film["playback_id"],
            "playback_policy": "public",
            **columns,
        }
        plays = given["mux_asset_id"] == film["asset_id"]
        rows = [self._film("lesson_id", given["id"], film)] if plays else []
        return self.insert(("lessons", given), *rows)

    def without_video(self, title: str, state: str, **columns: Any) -> str:
        """A lesson whose video is in this state: none, uploading, processing or error."""
        given = {
            "title": title,
            "creator_id": self.owner.id,
            "price_cents": 500,
            "status": "draft",
            "video_processing_status": state,
            **columns,
        }
        return self.insert(("lessons", given))

    def on_its_way(self, title: str, status: str, *, beside: str | None = None, **row: Any) -> str:
        """A draft with one upload in this state, or such an upload beside the video that plays; no process asks Mux about it."""
        lesson_id = beside or str(uuid.uuid4())
        upload = {
            "lesson_id": lesson_id,
            "owner_id": self.owner.id,
            "upload_id": f"upload-{uuid.uuid4()}",
            "filename": "kneading.mp4",
            "status": status,
            "next_check_at": "tomorrow",
            **row,
        }
        lesson = {"id": lesson_id, "title": title, "creator_id": self.owner.id, "price_cents": 900,
                  "video_processing_status": status}  # fmt: skip
        if status == "error":
            lesson |= {f"video_{name}": row[name] for name in ("error_type", "error_message") if name in row}
        rows = [("mux_asset_tracking", upload)]
        self.insert(*rows if beside else [("lessons", lesson), *rows])
        return lesson_id

    def history(self, seconds: float, *, duration: float) -> None:
        """Videos of a length that no other has, which took this long at Mux: something to estimate from."""
        for n in range(3):
            lesson = self.lesson(f"Earlier {n}", status="draft")
            self.stack.sql(
                "UPDATE mux_asset_tracking SET bytes_in_at = now() - make_interval(secs => %s), ready_at = now(),"
                " duration = %s WHERE lesson_id = %s",
                *(seconds, duration, lesson),
            )

    def notice(self, person: Person, kind: str, message: str, **columns: Any) -> str:
        return self.insert(
            ("notifications", {"user_id": person.id, "kind": kind, "message": message, **columns})
        )
