"""The simulator's controls from another process: a thin, typed client of ``/_sim/api``. Standard library only."""

# ruff: noqa: A002 - ``type`` is the word of the API

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from muxsim.videos.sample import SAMPLE_VIDEO

Doc = dict[str, Any]


class ControlError(Exception):
    """The simulator refused; ``status`` and its words."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status


class Control:
    """Everything that a test wants to do to Mux."""

    def __init__(self, base_url: str, *, timeout: float = 130.0) -> None:
        self.url = base_url.rstrip("/")
        self._timeout = timeout

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the simulator's own address
            f"{self.url}/_sim/api{path}", data=payload, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - the simulator's own address # nosec B310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.code, error.read().decode("utf-8", "replace")) from None

    def _post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", path, {name: value for name, value in body.items() if value is not None})

    # uploads

    def uploads(self) -> list[Doc]:
        """Newest first."""
        return list(self._ask("GET", "/uploads")["uploads"])

    def upload(self, upload_id: str) -> Doc:
        return dict(self._ask("GET", f"/uploads/{upload_id}"))

    def upload_file(self, upload_id: str, data: bytes | None = None, *, chunk: int | None = None) -> int:
        """Sends bytes as a browser would, to the upload's real URL; a small real video by default. Answers the status."""
        data = SAMPLE_VIDEO if data is None else data
        url = self.upload(upload_id)["url"]
        if chunk is None:
            return _put(url, data, None)
        status = 0
        for start in range(0, len(data), chunk):
            part = data[start : start + chunk]
            status = _put(url, part, f"bytes {start}-{start + len(part) - 1}/{len(data)}")
        return status

    def complete_upload(
        self,
        upload_id: str,
        *,
        duration: float | None = None,
        width: int | None = None,
        height: int | None = None,
        audio: bool | None = None,
    ) -> Doc:
        """The asset without any bytes: it becomes ready by time and plays the built-in picture."""
        return dict(
            self._post(
                f"/uploads/{upload_id}/complete", duration=duration, width=width, height=height, audio=audio
            )
        )

    def time_out_upload(self, upload_id: str) -> None:
        """No event tells of it."""
        self._post(f"/uploads/{upload_id}/time-out")

    def error_upload(
        self,
        upload_id: str,
        type: str = "invalid_input",
        message: str = "The upload failed.",
    ) -> None:
        self._post(f"/uploads/{upload_id}/error", type=type, message=message)

    errored_upload = error_upload

    def cancel_upload_elsewhere(self, upload_id: str) -> None:
        self._post(f"/uploads/{upload_id}/cancel")

    # assets

    def assets(self) -> list[Doc]:
        """Newest first."""
        return list(self._ask("GET", "/assets")["assets"])

    def asset(self, asset_id: str) -> Doc:
        return dict(self._ask("GET", f"/assets/{asset_id}"))

    def set_asset_ready(self, asset_id: str) -> Doc:
        return dict(self._post(f"/assets/{asset_id}/ready"))

    def error_asset(
        self,
        asset_id: str,
        type: str = "invalid_input",
        messages: list[str] | None = None,
    ) -> Doc:
        return dict(self._post(f"/assets/{asset_id}/error", type=type, messages=messages))

    def hold_processing(self, on: bool = True) -> None:
        self.set_switch("hold_processing", on)

    def hold_asset(self, asset_id: str, on: bool = True) -> None:
        self._post(f"/assets/{asset_id}/{'hold' if on else 'release'}")

    def delete_asset_in_dashboard(self, asset_id: str) -> None:
        self._post(f"/assets/{asset_id}/delete")

    def seed_assets(self, count: int = 1, **settings: Any) -> list[str]:
        """``count`` assets at once, without events; answers their ids.

        ``passthrough``, ``upload_id``, ``meta`` (``{n}`` is the number), ``policy`` (``None``: no playback id),
        ``created_at`` or ``age_seconds``, ``spread_seconds``, ``duration``, ``status``, ``id``, ``playback_id``,
        ``test``, ``env``.
        """
        return list(self._ask("POST", "/seed", {"count": count, **settings})["ids"])

    def seed_each(self, settings: list[Doc]) -> list[str]:
        return list(self._ask("POST", "/seed", {"assets": settings})["ids"])

    def played(self, asset_id: str, seconds: float, *, at: float | None = None) -> None:
        """Delivered minutes for the delivery-usage report."""
        self._post("/played", asset_id=asset_id, seconds=seconds, at=at)

    def viewed(self, asset_id: str, views: int = 1, *, seconds: float = 0.0, at: float | None = None) -> None:
        """Finished views of so many seconds each, for the breakdown of Mux Data."""
        self._post("/viewed", asset_id=asset_id, views=views, seconds=seconds, at=at)

    # events

    def events(self, since: int = 0) -> list[Doc]:
        """Oldest first, each with ``seq``, its payload and its ``deliveries`` with their attempts."""
        return list(self._ask("GET", f"/events?since={since}")["events"])

    def send_event(
        self,
        type: str,
        *,
        asset_id: str | None = None,
        upload_id: str | None = None,
        data: Doc | None = None,
    ) -> str:
        return str(self._post("/events", type=type, asset_id=asset_id, upload_id=upload_id, data=data)["id"])

    def foreign_event(self, type: str = "video.asset.ready", *, data: Doc | None = None) -> str:
        return str(self._post("/events", type=type, foreign=True, data=data)["id"])

    def send_again(self, event_id: str) -> None:
        self._post(f"/events/{event_id}/again")

    def flush_events(self, timeout: float = 10.0) -> bool:
        """Waits until nothing is due, under way or being packaged; whether that came in time."""
        return bool(self._post("/flush", timeout=timeout)["idle"])

    wait_until_idle = flush_events

    def add_endpoint(self, url: str, secret: str, *, env: str | None = None) -> str:
        return str(self._post("/endpoints", url=url, secret=secret, env=env)["id"])

    def remove_endpoint(self, endpoint_id: str) -> None:
        self._ask("DELETE", f"/endpoints/{endpoint_id}")

    def rotate_secret(self, endpoint_id: str, secret: str | None = None) -> str:
        return str(self._post(f"/endpoints/{endpoint_id}/rotate", secret=secret)["secret"])

    def set_permissions(self, token_id: str, permissions: list[str]) -> None:
        """What an access token may do, as ``video:read``, ``system:write`` and so on; until the next reset."""
        self._post(f"/tokens/{token_id}", permissions=permissions)

    def endpoints(self) -> list[Doc]:
        return list(self.state()["endpoints"])

    # faults, switches, clock

    def fault(
        self, target: str, kind: str, *, match: Doc | None = None, times: int | None = None, share: float | None = None,
        skip: int | None = None, **params: Any,
    ) -> str:  # fmt: skip
        """A rule; without ``times`` it strikes until cleared, with ``share`` by lot."""
        rule = {"target": target, "kind": kind, "match": match, "times": times, "share": share, "skip": skip}
        return str(self._post("/faults", **rule, params=params)["id"])

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def remove_fault(self, fault_id: str) -> None:
        self._ask("DELETE", f"/faults/{fault_id}")

    def set_switch(self, name: str, value: Any) -> None:
        self._ask("POST", "/switches", {name: value})

    def advance_clock(self, seconds: float) -> float:
        """Answers the simulated time."""
        return float(self._post("/clock", advance=seconds)["now"])

    # the rest

    def calls(self, since: int = 0, *, target: str | None = None, operation: str | None = None) -> list[Doc]:
        """Oldest first; ``since`` is the ``seq`` of the last call seen."""
        found = self._ask("GET", f"/calls?since={since}&rows=100000")["calls"]
        return [
            one for one in found if target in (None, one["target"]) and operation in (None, one["operation"])
        ]

    def create_signing_key(self) -> Doc:
        """``id`` and ``private_key`` (base64 of a PEM), as Mux's settings page shows it once."""
        return dict(self._post("/signing-keys"))

    def state(self) -> Doc:
        return dict(self._ask("GET", "/state"))

    def reset(self) -> None:
        self._post("/reset")

    def wait_for(self, holds: Callable[[], Any], timeout: float = 10.0) -> Any:
        """Asks until the answer is true."""
        until = time.monotonic() + timeout
        while not (answer := holds()):
            if time.monotonic() > until:
                raise TimeoutError("it did not come true in time")
            time.sleep(0.02)
        return answer


def _put(url: str, data: bytes, content_range: str | None) -> int:
    headers = {"Content-Type": "video/mp4"} | ({"Content-Range": content_range} if content_range else {})
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers)  # noqa: S310 - the simulator's own address
    try:
        with urllib.request.urlopen(request, timeout=130) as answer:  # noqa: S310 - the simulator's own address # nosec B310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
