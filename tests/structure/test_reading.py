"""Reading changes nothing: every link of every page is followed as each role, and all tables are the same before and after.

That each route by itself changes nothing is a law of the matrix (`test_matrix.py`), with its exceptions; here pages are reached
as people reach them, with sessions old enough for a sign of life. The application's own signs of life are left out (`NOT_COMPARED`
in `world.py`): when a session was last seen and a token last used.
"""

from collections import deque
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from lessonadmin.db import CLI, db, transaction
from tests.pages import page_of
from tests.structure import world
from tests.structure.matrix import Measuring
from tests.structure.test_matrix import READS_THAT_WRITE
from tests.structure.world import World, state

MAX_OF_A_ROUTE = 2


def crawled(app: Flask, found: World, who: str, start: str) -> dict[str, int]:
    """How many addresses of each route were asked for, exports left out."""
    browser = app.test_client(use_cookies=False)
    adapter = app.url_map.bind("localhost")
    counts: dict[str, int] = {}
    waiting, seen = deque([start]), {start}
    while waiting:
        here = waiting.popleft()
        answer = browser.get(here, headers=found.headers[who])
        assert answer.status_code < 500, here
        addresses = [answer.location] if answer.location else []
        if answer.mimetype == "text/html" and answer.status_code == 200:
            page = page_of(answer)
            for name, attrs in page.elements:
                if name == "form" and (attrs.get("method") or "get").lower() == "get":
                    addresses.append(f"{attrs.get('action') or here}?q=draft&search=draft")
                addresses += [
                    attrs[one] or ""
                    for one in ("href", "data-url")
                    if name in ("a", "div", "section") and attrs.get(one)
                ]
        for address in addresses:
            parts = urlsplit(urljoin(here, address))
            if parts.netloc or not adapter.test(parts.path, "GET"):
                continue
            rule, _ = adapter.match(parts.path, "GET", return_rule=True)
            whole = parts._replace(fragment="").geturl()
            label = f"GET {rule.rule}"
            if whole in seen or label in READS_THAT_WRITE or counts.get(label, 0) >= MAX_OF_A_ROUTE:
                continue
            seen.add(whole)
            counts[label] = counts.get(label, 0) + 1
            waiting.append(whole)
    return counts


AT_LEAST = {"student": 8, "own": 14, "support": 40, "admin": 44}


def age_sessions() -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE user_sessions SET last_seen_at = now() - interval '5 minutes'"))


@pytest.mark.parametrize("who", AT_LEAST)
def test_a_crawl_of_every_page_changes_no_table(app: Flask, measuring: Measuring, who: str) -> None:
    found = measuring.world()
    with app.app_context():
        age_sessions()
        before = state()
        counts = crawled(app, found, who, "/")
        after = state()
    assert len(counts) >= AT_LEAST[who], sorted(counts)
    assert {table for table in before if before[table] != after[table]} <= {"throttles"}


def test_of_the_crawl_a_page_that_writes_is_seen(
    app: Flask, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = app.view_functions["notices.index"]

    def marks(**arguments: object) -> object:
        with transaction(CLI):
            db.session.execute(text("UPDATE notifications SET read_at = now()"))
        return shown(**arguments)

    monkeypatch.setitem(app.view_functions, "notices.index", marks)
    found = measuring.world()
    with app.app_context():
        before = state()
        crawled(app, found, "own", "/")
        after = state()
    assert {table for table in before if before[table] != after[table]} >= {"notifications"}
    assert world.NOT_COMPARED.keys() <= before.keys()
