"""The official SDK, unmodified, pointed at a simulator; and plain HTTP without any SDK's help."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import mux_python
import urllib3

TOKEN = ("web-token", "web-secret", "high")
LOW_TOKEN = ("worker-token", "worker-secret", "low")


class Sdk:
    """Every API class of mux-python that the simulator serves."""

    def __init__(self, url: str, token: tuple[str, ...] = TOKEN) -> None:
        configuration = mux_python.Configuration(host=url, username=token[0], password=token[1])
        configuration.retries = urllib3.Retry(0, respect_retry_after_header=False)
        self.client = mux_python.ApiClient(configuration)
        self.uploads = mux_python.DirectUploadsApi(self.client)
        self.assets = mux_python.AssetsApi(self.client)
        self.playback = mux_python.PlaybackIDApi(self.client)
        self.keys = mux_python.SigningKeysApi(self.client)
        self.old_keys = mux_python.URLSigningKeysApi(self.client)
        self.usage = mux_python.DeliveryUsageApi(self.client)
        self.metrics = mux_python.MetricsApi(self.client)
        self.restrictions = mux_python.PlaybackRestrictionsApi(self.client)

    def upload(self, policy: str | None = "public", **settings: Any) -> Any:
        body: dict[str, Any] = {"cors_origin": "*", "new_asset_settings": settings}
        if policy:
            settings["playback_policies"] = [policy]
        return self.uploads.create_direct_upload(body, _request_timeout=10).data

    def close(self) -> None:
        self.client.rest_client.pool_manager.clear()
        self.client.close()


@dataclass
class Reply:
    status: int
    headers: Any
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


def call(
    method: str, url: str, body: Any = None, *, token: tuple[str, ...] | None = TOKEN,
    headers: dict[str, str] | None = None, timeout: float = 15,
) -> Reply:  # fmt: skip
    """One request on a connection of its own."""
    sent = dict(headers or {})
    if token is not None and "Authorization" not in sent:
        sent["Authorization"] = "Basic " + base64.b64encode(f"{token[0]}:{token[1]}".encode()).decode()
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request(method, url, body=body, headers=sent, redirect=False, timeout=timeout)
        return Reply(answer.status, answer.headers, answer.data)
