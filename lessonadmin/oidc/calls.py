"""One request to the provider, bounded in time and size, to no host but the allowed ones."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from lessonadmin import config, outbound
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong
from lessonadmin.security import addresses

LIMITS = outbound.Limits(connect=3.0, read=5.0, whole=8.0, body=256 * 1024)
MAX_AT_ONCE = 3
_places = threading.BoundedSemaphore(MAX_AT_ONCE)
_pools: dict[int, urllib3.PoolManager] = {}


@contextmanager
def one_of_few() -> Iterator[None]:
    """Around whatever may wait for the provider: while it is slow, most threads of a web process stay free for pages."""
    if not _places.acquire(blocking=False):
        raise ProviderAway("too many sign-ins wait for it")
    try:
        yield
    finally:
        _places.release()


def get_json(url: str) -> dict[str, Any]:
    return _json(_send("GET", url, headers={"Accept": "application/json"}, body=None))


def post_form(url: str, form: dict[str, str], *, basic: tuple[str, str] | None) -> dict[str, Any]:
    """`basic`: user and password in the header instead of the form."""
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if basic is not None:
        user, password = (quote(part, safe="") for part in basic)  # as RFC 6749, 2.3.1, has them
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return _json(_send("POST", url, headers=headers, body=urlencode(form).encode()))


def check_address(url: object, what: str) -> str:
    """An address of the provider that may be called, or that a browser may be sent to; ProviderWrong for any other."""
    settings = config.current()
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ProviderWrong(f"{what} is no address") from error
    allowed = {urlsplit(settings.oidc_issuer or "").hostname, *(one.lower() for one in settings.oidc_hosts)}
    on_this_machine = host == "localhost" or addresses.is_loopback(host or "-")
    if parts.scheme != "https" and not (parts.scheme == "http" and on_this_machine):
        raise ProviderWrong(f"{what} is not https")
    if host not in allowed or "@" in parts.netloc:
        raise ProviderWrong(f"{what} is at another host than OIDC_ISSUER and OIDC_HOSTS")
    return str(url)


def _send(method: str, url: str, *, headers: dict[str, str], body: bytes | None) -> outbound.Answer:
    try:
        with outbound.bounded(LIMITS):
            return outbound.once(_pool(), method, url, headers=headers, body=body, limits=LIMITS)
    except outbound.BodyTooLarge as error:
        raise ProviderWrong("its answer is too large") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ProviderAway(f"it does not answer ({type(error).__name__})") from error


def _pool() -> urllib3.PoolManager:
    """Of this process: a fork must not share its parent's connections."""
    found = _pools.get(os.getpid())
    if found is None:
        found = urllib3.PoolManager(retries=urllib3.Retry(0, redirect=False), maxsize=4)
        found.pool_classes_by_scheme = outbound.POOLS
        _pools.clear()
        _pools[os.getpid()] = found
    return found


def _json(answer: outbound.Answer) -> dict[str, Any]:
    if answer.status >= 500:
        raise ProviderAway(f"it answers {answer.status}")
    if answer.status != 200:
        raise ProviderWrong(f"it answers {answer.status}")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise ProviderWrong("its answer is no JSON") from error
    if not isinstance(found, dict):
        raise ProviderWrong("its answer is no JSON object")
    return found
