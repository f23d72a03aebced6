"""Read by gunicorn from the folder that it is started in: web does not start on a database that is behind."""

import sys
from typing import Any

# Whose word is taken about where a request comes from says TRUSTED_PROXIES (lessonadmin/web/visitors.py). gunicorn takes
# nobody's: by itself it lets this machine and every unix socket set the scheme, SCRIPT_NAME and PATH_INFO.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}


def on_starting(server: Any) -> None:
    from app import app
    from lessonadmin import garbage_collection
    from lessonadmin.web import startup_check

    refusal = startup_check.refusal(app)
    if refusal is not None:
        sys.exit(refusal)
    garbage_collection.keep_what_is_loaded()


def when_ready(server: Any) -> None:
    from lessonadmin.web_server import closing_port

    closing_port.when_the_port_closes(server)
