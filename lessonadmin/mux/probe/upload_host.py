"""Plain requests to the host that takes the bytes of uploads (and to a playback address), for the probe alone.

There is no sign-in there: the address itself gives access, so nothing in here logs, keeps or shows one. What comes back is
told as it is, whatever its status; each request is one attempt that ends in time, and no redirect is followed.
"""

import urllib3

from lessonadmin import outbound
from lessonadmin.mux import responses, transport
from lessonadmin.outbound import Answer

_pool: urllib3.PoolManager | None = None


def ask(method: str, address: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
    """One request; raises MuxError where no answer came."""
    try:
        return transport.request_without_token(
            _connections(), method, address, headers=headers or {}, body=body if method == "PUT" else None
        )
    except (urllib3.exceptions.HTTPError, outbound.BodyTooLarge, OSError) as error:
        raise responses.connection_error(error) from error


def _connections() -> urllib3.PoolManager:
    global _pool
    if _pool is None:
        _pool = urllib3.PoolManager(
            retries=urllib3.Retry(0, redirect=False, respect_retry_after_header=False)
        )
        _pool.pool_classes_by_scheme = outbound.POOLS
    return _pool
