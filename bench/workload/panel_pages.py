"""One process that asks for pages of the panel, or of a stock admin, on the database of its environment, and counts.

``python -m bench.workload.panel_pages product|meanwhile|stock|django``; the last line of its answer is JSON. A page that does not
show what it must show is an error, not a quick page.
"""

import json
import logging
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.workload import panel_addresses
from bench.workload.panel_addresses import Page, Places

ROUNDS, ROUNDS_MEANWHILE = 15, 30
COLUMNS = (
    "title", "status", "video_processing_status", "price_cents", "mux_asset_id", "created_at", "updated_at",
)  # fmt: skip
Answer = dict[str, tuple[float, int]]
Get = Callable[[str], Any]


def measure(get: Get, count: Callable[[], int], pages: dict[str, Page], rounds: int = ROUNDS) -> Answer:
    """The median of several asks in milliseconds, and the statements of one. Every page is asked for once a round, so
    whatever else the machine does for a while falls on all of them and on the median of none. Each round has an order of
    its own: in one and the same, Python's collector, which comes after so many objects, came at the same pages."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    queries: dict[str, int] = {}
    for name, page in pages.items():
        _must_be_right(name, page, get(page.address))
    for number in range(rounds):
        order = random.Random(number).sample(list(pages), len(pages))
        for name in order:
            before = count()
            began = time.perf_counter()
            get(pages[name].address)
            times[name].append((time.perf_counter() - began) * 1000)
            queries[name] = count() - before
    return {name: (statistics.median(spent), queries[name]) for name, spent in times.items()}


def _must_be_right(name: str, page: Page, answer: Any) -> None:
    body = answer.get_data(as_text=True) if hasattr(answer, "get_data") else answer.content.decode()
    rows = len(re.findall(r"<tr\b", body.rpartition("</thead>")[2])) if "</thead>" in body else 0
    if not page.is_right(answer.status_code, rows):
        raise RuntimeError(f"{name}: {page.address} answered {answer.status_code} with {rows} rows")


def ours(pages: dict[str, Page], rounds: int = ROUNDS) -> Answer:
    """The panel as a signed-in administrator sees it."""
    from sqlalchemy import select

    from lessonadmin import config, create_app, garbage_collection
    from lessonadmin.db import CLI, db, transaction
    from lessonadmin.domain.accounts import sessions
    from lessonadmin.domain.models import User

    app = create_app(config.load(dict(os.environ)))
    garbage_collection.keep_what_is_loaded()  # as web processes do
    logging.disable(logging.INFO)
    with app.app_context(), transaction(CLI):
        user = db.session.scalars(select(User).where(User.role == "admin")).one()
        secret = sessions.begin(user, address="127.0.0.1", user_agent="bench")
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["secret"] = secret
        session.permanent = True
    return measure(browser.get, _statements(), pages, rounds)


def _statements() -> Callable[[], int]:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    sent = [0]
    event.listen(Engine, "before_cursor_execute", lambda *_: sent.__setitem__(0, sent[0] + 1))
    return lambda: sent[0]


def stock(pages: dict[str, Page]) -> Answer:
    """A Flask-Admin view of the same table as its documentation shows it."""
    from flask import Flask
    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView

    from lessonadmin.db import db
    from lessonadmin.domain.models import Lesson

    class Stock(ModelView):  # type: ignore[misc]  # Flask-Admin's types are partial
        column_list = COLUMNS
        column_searchable_list = ("title",)
        column_filters = ("status",)
        form_columns = ("title",)
        column_default_sort = ("id", True)
        page_size = 50

    app = Flask("stock", template_folder="nowhere")
    address = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", os.environ["DATABASE_URL"])
    app.config |= {"SECRET_KEY": "x", "SQLALCHEMY_DATABASE_URI": address}
    db.init_app(app)
    Admin(app).add_view(Stock(Lesson, db, endpoint="stock"))
    return measure(app.test_client().get, _statements(), pages)


def django(pages: dict[str, Page]) -> Answer:
    """A Django admin of the same table."""
    from bench.workload import django_site

    browser, count = django_site.site(COLUMNS)
    return measure(browser.get, count, pages)


def main(what: str) -> Answer:
    at = Places.find()
    if what == "product":
        return ours(panel_addresses.of_panel(at))
    if what == "meanwhile":
        return ours(panel_addresses.meanwhile(at), ROUNDS_MEANWHILE)
    if what == "stock":
        return stock(panel_addresses.of_stock(at))
    return django(panel_addresses.of_django(at))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
