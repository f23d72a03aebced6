"""What the webhook is measured against: a bare Flask view that verifies the signature and inserts one row."""

import os
import threading
import time

import psycopg
from flask import Flask, request

from lessonadmin import mux

app = Flask(__name__)
local = threading.local()
URL = os.environ["DATABASE_URL"]
SECRETS = (os.environ["MUX_WEBHOOK_SECRETS"],)
INSERT = "INSERT INTO bare_events (mux_event_id, payload) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def connection() -> "psycopg.Connection[tuple[object, ...]]":
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(URL, autocommit=True)
    found: psycopg.Connection[tuple[object, ...]] = local.connection
    return found


@app.post("/api/webhooks/mux")
def receive() -> tuple[str, int]:
    body = request.get_data()
    mux.verify(request.headers.get("Mux-Signature"), body, SECRETS, now=time.time())
    connection().execute(INSERT, (mux.read_event(body).id, body.decode()))
    return "", 204
