"""Webhooks as Mux sends them: bodies, and signed requests that are complete before they are sent."""

import json
import time
import uuid
from collections.abc import Iterable

from bench.workload.servers import SECRET
from muxsim.webhooks.delivery import sign

PATH = "/api/webhooks/mux"
Lesson = tuple[str, str]  # its id and its upload's


def body(event_id: str, lesson_id: str, upload_id: str) -> str:
    """The event that says that a lesson's video is ready."""
    data = {
        "id": f"asset{upload_id}", "status": "ready", "upload_id": upload_id, "created_at": 1764000000,
        "duration": 61.5, "passthrough": json.dumps({"lesson_id": lesson_id, "app": "lessonadmin"}),
        "aspect_ratio": "16:9", "playback_ids": [{"id": f"playback{upload_id}", "policy": "public"}],
        "max_stored_resolution": "HD",
        "tracks": [{"type": "video", "id": "t1", "max_width": 1920, "max_height": 1080, "max_frame_rate": 29.97},
                   {"type": "audio", "id": "t2", "max_channels": 2}],
        "mp4_support": "none", "master_access": "none", "encoding_tier": "baseline", "video_quality": "basic",
    }  # fmt: skip
    event: dict[str, object] = {
        "type": "video.asset.ready", "id": event_id, "created_at": "2026-11-21T10:00:00.000000Z",
        "object": {"type": "asset", "id": f"asset{upload_id}"},
        "environment": {"name": "Production", "id": "abc123"},
        "data": data, "request_id": None, "accessor": None, "attempts": [],
    }  # fmt: skip
    return json.dumps(event)


def request(content: bytes) -> bytes:
    """The whole request; its signature is good for five minutes."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nMux-Signature: {sign(SECRET, int(time.time()), content)}\r\n\r\n"
    )
    return head.encode() + content


def requests(lessons: Iterable[Lesson]) -> list[bytes]:
    """One event for each lesson."""
    return [request(body(str(uuid.uuid4()), *lesson).encode()) for lesson in lessons]
