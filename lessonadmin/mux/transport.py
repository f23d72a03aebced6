"""One request to Mux through its own package, with the package's traps shut.

The SDK supplies routes, escaping and authentication; this module supplies the rest: one attempt and no sleep, no redirect
followed, an end to every wait (also against a server that trickles bytes), an end to every body. What it returns
is what the server said, whatever the status; only `responses` judges it.
"""

import json
import os
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import urlencode

import mux_python
import urllib3
from mux_python.rest import RESTClientObject

from lessonadmin import config
from lessonadmin.outbound import POOLS, Answer, Limits, bounded, once

Priority = Literal["high", "low"]
"""high: the web's token, a person waits for the answer. low: the workers' token."""


LIMITS = Limits()
MAX_CLIENTS = 8


class BoundedRestClient(RESTClientObject):  # type: ignore[misc]  # the SDK ships no types
    """Unlike the SDK's own client it reads errors with a bound, does not decode them, and returns any status."""

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)
        self.pool_manager.pool_classes_by_scheme = POOLS

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        **_unused: Any,
    ) -> Answer:
        if query_params:
            url += "?" + urlencode(query_params)
        return once(
            self.pool_manager,
            method,
            url,
            headers={**(headers or {}), "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body).encode(),
            limits=LIMITS,
        )


def _build(host: str, token_id: str, secret: str) -> Any:
    # Models consult the default configuration, not the client's; without this one a new enum value at Mux raises.
    tolerant = mux_python.Configuration()
    tolerant.client_side_validation = False
    mux_python.Configuration.set_default(tolerant)
    own = mux_python.Configuration(host=host.rstrip("/"), username=token_id, password=secret)
    own.client_side_validation = False
    # urllib3 would repeat three times and sleep as long as Retry-After says, inside the call.
    own.retries = urllib3.Retry(0, redirect=False, respect_retry_after_header=False)
    client = mux_python.ApiClient(own)
    client.rest_client = BoundedRestClient(own)
    return client


def token_of(priority: Priority) -> tuple[str, str]:
    """Id and secret of the access token that this priority uses."""
    settings = config.current()
    if priority == "high":
        return settings.mux_token_id, settings.mux_token_secret
    return settings.mux_worker_token_id, settings.mux_worker_token_secret


_clients: dict[tuple[int, str, str, str], Any] = {}


def client(priority: Priority) -> Any:
    """The client of this process, token and address: a worker's fork must not share its parent's connections."""
    key = (os.getpid(), config.current().mux_api_url, *token_of(priority))
    found = _clients.get(key)
    if found is None:
        if len(_clients) >= MAX_CLIENTS or any(one[0] != key[0] for one in list(_clients)):
            _clients.clear()
        # Two threads may both build one; setdefault lets one win, and no lock can be left held by a fork.
        found = _clients.setdefault(key, _build(*key[1:]))
    return found


def send(priority: Priority, call: Callable[[Any], Any]) -> Answer:
    """Make one call (`call` gets the SDK's client) and return what came back; raises urllib3's errors and BodyTooLarge."""
    with bounded(LIMITS):
        answer: Answer = call(client(priority))
        return answer


def request_without_token(
    pools: Any, method: str, url: str, *, headers: dict[str, str], body: bytes | None
) -> Answer:
    """One request beside the API, without a token, bounded like every other; raises the same errors."""
    with bounded(LIMITS):
        return once(pools, method, url, headers=headers, body=body, limits=LIMITS)
