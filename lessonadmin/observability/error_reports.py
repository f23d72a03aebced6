"""Errors sent to Sentry when SENTRY_DSN is set, without anything that gives access or names a person.

The client is imported only then. Request bodies, cookies, query strings and local variables are never sent, and every
text that is sent passes the same scrubbing as the logs.
"""

from typing import Any

from lessonadmin import config
from lessonadmin.observability import logs

HIDDEN_HEADERS = frozenset(
    {"authorization", "cookie", "set-cookie", "mux-signature", "x-csrftoken", "x-csrf-token"}
)
HIDDEN = "[hidden]"
DATABASE = ("sqlalchemy", "psycopg")
FLUSH_SECONDS = 2.0


def init_app() -> None:
    """Start reporting if a DSN is set."""
    dsn = config.current().sentry_dsn
    if dsn is None:
        return
    import sentry_sdk
    from sentry_sdk.integrations.rq import RqIntegration

    sentry_sdk.init(
        dsn=dsn,
        data_collection={
            "user_info": False,
            "cookies": {"mode": "off"},
            "http_bodies": [],
            "url_query_params": {"mode": "off"},
            "stack_frame_variables": False,
            "database_query_data": False,
            "queues": False,
        },
        traces_sample_rate=0.0,
        trace_propagation_targets=[],  # no other server is sent a header about it
        # It writes into every job, and workers run none that brings more than `queue.enqueue` writes; a failed one is logged, and so reported.
        disabled_integrations=[RqIntegration],
        before_send=scrub,  # type: ignore[arg-type]  # Sentry's event type is a TypedDict
        before_breadcrumb=lambda crumb, _: _clean(crumb),
    )


def flush() -> None:
    """Send now what waits: for a process that ends without the usual goodbye."""
    if config.current().sentry_dsn is not None:
        import sentry_sdk

        sentry_sdk.flush(timeout=FLUSH_SECONDS)


def scrub(event: dict[str, Any], _hint: object = None) -> dict[str, Any]:
    """The event as it may leave."""
    request = event.get("request")
    if isinstance(request, dict):
        for name in ("cookies", "data", "query_string", "env"):
            request.pop(name, None)
        headers = request.get("headers")
        if isinstance(headers, dict):
            request["headers"] = {
                name: HIDDEN if name.lower() in HIDDEN_HEADERS else value for name, value in headers.items()
            }
    event.pop("user", None)
    for one in (event.get("exception") or {}).get("values") or ():
        if str(one.get("module") or "").startswith(DATABASE):
            one["value"] = HIDDEN  # the words of the database quote what people wrote
    event.setdefault("tags", {})["request_id"] = logs.request_id.get()
    cleaned: dict[str, Any] = _clean(event)
    return cleaned


def _clean(value: Any) -> Any:
    """Every text in it, as it may stand in a log."""
    if isinstance(value, str):
        return logs.scrub(value)
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
