"""One process that measures pages of each role and webhooks, on the database of its environment, once for each line that it is sent."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from lessonadmin import config, create_app
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import sessions
from lessonadmin.domain.models import Lesson, Purchase, User
from lessonadmin.domain.webhooks import applier

ASKS = 5  # of each page in a turn
EVENTS = 40  # in a turn: as many webhooks, each of a lesson of its own
WAITING = text("""INSERT INTO waiting_events (id, mux_event_id, secret_hint, body)
  SELECT gen_random_uuid(), 'walls-' || gen_random_uuid(), '0aaf', convert_to(json_build_object('type', 'video.asset.updated',
    'id', 'walls-' || gen_random_uuid(), 'object', json_build_object('type', 'asset', 'id', mux_asset_id),
    'environment', json_build_object('name', 'Production', 'id', 'abc123'),
    'data', json_build_object('id', mux_asset_id, 'status', 'ready', 'progress', json_build_object('progress', 100)))::text, 'UTF8')
  FROM lessons WHERE mux_asset_id IS NOT NULL ORDER BY id OFFSET :first LIMIT :count""")


def browser(app: Flask, user: User) -> FlaskClient:
    with app.app_context(), transaction(CLI):
        secret = sessions.begin(user, address="127.0.0.1", user_agent="bench")
    client = app.test_client()
    with client.session_transaction() as session:
        session["secret"] = secret
        session.permanent = True
    return client


def people(app: Flask) -> dict[str, User]:
    """An admin; of instructors the one with most lessons; a student with most purchases."""
    with app.app_context():
        busiest = select(Lesson.creator_id).group_by(Lesson.creator_id).order_by(func.count().desc()).limit(1)
        buyer = select(Purchase.user_id).group_by(Purchase.user_id).order_by(func.count().desc()).limit(1)
        return {
            "admin": db.session.scalars(select(User).where(User.role == "admin")).first() or _missing(),
            "instructor": db.session.get_one(User, db.session.scalars(busiest).one()),
            "student": db.session.get_one(User, db.session.scalars(buyer).one()),
        }


def _missing() -> User:
    raise RuntimeError("the school has nobody of this role")


def pages(app: Flask) -> dict[str, Callable[[], Any]]:
    """What is asked for, by the name that the benchmark prints."""
    who = people(app)
    with app.app_context():
        own = select(Lesson.id).where(Lesson.creator_id == who["instructor"].id).limit(1)
        lesson = db.session.scalars(own).one()
        bought = db.session.scalars(
            select(Purchase.lesson_id).where(Purchase.user_id == who["student"].id)
        ).first()
    of = {role: browser(app, user) for role, user in who.items()}
    asked = {
        "panel: list of lessons": ("admin", "/admin/lesson/"),
        "panel: page of a lesson": ("admin", f"/admin/lesson/details/?id={lesson}"),
        "panel: list of uploads": ("admin", "/admin/tracking/"),
        "own: lessons of an instructor": ("instructor", "/lessons"),
        "own: page of a lesson": ("instructor", f"/lessons/{lesson}/edit"),
        "own: courses of an instructor": ("instructor", "/courses"),
        "own: API list": ("instructor", "/api/lessons"),
        "own: catalogue": ("student", "/catalog"),
        "own: search in the catalogue": ("student", "/catalog?q=water"),
        "own: what a student bought": ("student", "/catalog?bought=1"),
        "own: a bought lesson": ("student", f"/catalog/{bought}"),
    }
    return {name: lambda role=role, path=path: _ask(of[role], path) for name, (role, path) in asked.items()}


def _ask(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")


def webhooks(app: Flask, turn: int) -> float:
    """Milliseconds that applying one takes, in batches as the applier takes them."""
    with app.app_context():
        with transaction(CLI):
            db.session.execute(WAITING, {"first": turn * EVENTS, "count": EVENTS})
        began = time.perf_counter()
        done = applier.drain()
        took = (time.perf_counter() - began) * 1000
        db.session.remove()
    if done != EVENTS:
        raise RuntimeError(f"{done} of {EVENTS} webhooks were applied")
    return took / EVENTS


def main() -> None:
    app = create_app(config.load(dict(os.environ)))
    logging.disable(logging.INFO)
    wanted = pages(app)
    for turn, _ in enumerate(sys.stdin):
        found = {}
        for name, ask in wanted.items():
            began = time.perf_counter()
            for _ in range(ASKS):
                ask()
            found[name] = (time.perf_counter() - began) * 1000 / ASKS
        found["webhook: applying one"] = webhooks(app, turn)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
