"""Every route of the panel is led to by some page of it, or stands here with the reason why it is there all the same."""

import re
from collections import deque
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from devstack.places import ROOT
from lessonadmin import auth
from tests.admin.samples import browser, one_of_each
from tests.cases import each_of
from tests.factories import make_course, make_lesson, make_tracking
from tests.pages import Page, page_of
from tests.structure.roles import methods_of

# What no page of this test leads to: the template or the message that does, and when.
REASONS = {
    "POST admin_batch.stop_view": ("batch/state.html", "while it runs"),
    "POST admin_batch.resume_view": ("batch/state.html", "after it was stopped"),
    "POST admin_batch.retry_view": ("batch/state.html", "after rows have failed"),
    "POST admin_batch.retry_row_view": ("batch/state.html", "after rows have failed"),
    "POST admin_batch.undo_view": ("batch/state.html", "after it has changed something"),
    "POST admin_jobs.retry": ("machine/jobs.html", "after a job has failed"),
    "POST admin_jobs.retry_all": ("machine/jobs.html", "after jobs have failed"),
    "POST admin_jobs.delete": ("machine/jobs.html", "after a job has failed"),
    "POST admin_user.tokens_view": ("user/details.html", "while the account has a token"),
    "POST admin_user.invitation_view": ("user/identity.html", "while an invitation is open"),
    "POST admin_user.second_factor_view": ("user/details.html", "while the account has a second step"),
    "POST admin_person.sessions_view": ("person/details.html", "while they are signed in"),
    "POST admin_person.unlock_view": ("person/details.html", "after wrong passwords"),
    "POST admin_reconcile.mend": ("reconcile_fix.html", "after a check has found something"),
    "POST admin_purchase.restore_view": ("row/purchase.html", "after it was revoked"),
    "POST admin_audit.saved_filters_view": ("list/saved.html", "while the list is narrowed"),
    "POST admin_trash.restore": ("trash.html", "while something is in the trash"),
    "POST admin_trash.put_back": ("pages/trash.py", "in the message after a lesson or course was restored"),
    "GET admin_lesson.timeline_view": ("row/timeline.html", "if the timeline is longer than a page"),
    "GET admin_course.timeline_view": ("row/timeline.html", "if the timeline is longer than a page"),
}
MAX_OF_A_KIND = 4  # addresses that are looked at for one route


def registered(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        if auth.guard_for(rule.endpoint, rule.endpoint.rpartition(".")[0]) in (auth.STAFF, auth.ADMIN)
        for method in methods_of(rule)
    }


def leads(page: Page, here: str) -> list[tuple[str, str]]:
    """Method and address of each link, form and button of a page."""
    found = []
    for name, attrs in page.elements:
        if name == "a":
            found.append(("GET", attrs.get("href") or here))
        elif name == "form":
            found.append(((attrs.get("method") or "get").upper(), attrs.get("action") or here))
    return [(method, urljoin(here, address)) for method, address in found]


def endpoint_of(app: Flask, method: str, address: str) -> str | None:
    adapter = app.url_map.bind("localhost")
    try:
        return str(adapter.match(urlsplit(address).path, method=method)[0])
    except HTTPException:
        return None


def reached(app: Flask, admin: FlaskClient, start: str) -> set[tuple[str, str]]:
    seen: dict[str, set[str]] = {}
    found: set[tuple[str, str]] = set()
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        answer = admin.get(here)
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        for method, address in leads(page_of(answer), here):
            if urlsplit(address).netloc or not urlsplit(address).path.startswith("/admin"):
                continue
            endpoint = endpoint_of(app, method, address)
            if endpoint is None:
                continue
            found.add((method, endpoint))
            known = seen.setdefault(endpoint, set())
            if method == "GET" and address not in known and len(known) < MAX_OF_A_KIND:
                known.add(address)
                waiting.append(address)
    return found


def files_that_mux_waits_for() -> None:
    """A lesson and a course whose pages offer to ask for the file again, and to cancel the upload."""
    for owner in (
        make_lesson(video_processing_status="uploading"),
        make_course(video_processing_status="uploading"),
    ):
        make_tracking(owner, last_answer="upload_waiting", last_answer_at=datetime.now(UTC))


def test_every_route_of_the_panel_is_led_to(app: Flask) -> None:
    one_of_each()
    files_that_mux_waits_for()
    missing = registered(app) - reached(app, browser(), "/admin/")
    assert {f"{method} {endpoint}" for method, endpoint in missing} == set(REASONS)


@each_of("route", REASONS)
def test_what_shows_only_at_times_is_led_to_by_its_template_or_message(route: str) -> None:
    file, _ = REASONS[route]
    name = route.rpartition(".")[2]
    folder = "lessonadmin/admin" if file.endswith(".py") else "templates/admin"
    assert re.search(rf"url_for\([^)]*\.{name}['\"]", (ROOT / folder / file).read_text())
