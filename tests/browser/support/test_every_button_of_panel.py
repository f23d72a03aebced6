"""No button is dead in the panel: its lists with and without a chosen row, the question before an action, and the pages of one row."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from redis import Redis
from rq.serializers import JSONSerializer

from lessonadmin.redis_queue.listed_jobs import ListedQueue
from tests.browser.pressing import Presser
from tests.browser.school import School
from tests.browser.stack import Stack, Visitor
from tests.browser.test_every_button import STATES

SIGN_OUT = ("Sign out",)
Make = Callable[[School], str]


@pytest.fixture
def panel(visit: Visitor, stack: Stack) -> Page:
    return visit(stack.person("support", "Sam Support"), errors=True)


@pytest.fixture
def of_admin(visit: Visitor, stack: Stack) -> Page:
    return visit(stack.person("admin", "Ada Admin"), errors=True)


def purchase(school: School) -> str:
    lesson, student = school.lesson("Rye", price=900), school.stack.person("student")
    return school.insert(("purchases", {"lesson_id": lesson, "user_id": student.id, "price_cents": 900}))


def revoked(school: School) -> str:
    found = purchase(school)
    change = "revoked_at = now(), revoke_reason = 'Paid twice', lesson_title = 'Rye'"
    school.stack.sql(f"UPDATE purchases SET {change} WHERE id = %s", found)  # noqa: S608 - words of this file
    return found


def upload(status: str, **row: object) -> Make:
    def make(school: School) -> str:
        lesson = school.on_its_way("Rye", status, **row)
        ((found,),) = school.stack.sql("SELECT id FROM mux_asset_tracking WHERE lesson_id = %s", lesson)
        return str(found)

    return make


def event(outcome: str | None) -> Make:
    def make(school: School) -> str:
        row = {
            "mux_event_id": f"event-{uuid.uuid4()}",
            "type": "video.asset.ready",
            "outcome": outcome,
            "attempts": 3,
        }
        row |= {
            "object_id": "asset-rye",
            "payload": json.dumps({"type": "video.asset.ready", "data": {"id": "asset-rye"}}),
        }
        return school.insert(("mux_events", row | {"error": "It broke."} if outcome == "failed" else row))

    return make


def deletion(**columns: object) -> Make:
    def make(school: School) -> str:
        return school.insert(
            ("asset_deletions", {"mux_asset_id": f"asset-{uuid.uuid4()}", "reason": "replaced", **columns})
        )

    return make


def batch(status: str, *items: str, **columns: object) -> Make:
    """A bulk action with an item of each of these states, which no worker takes up before tomorrow."""

    def make(school: School) -> str:
        columns_of = {
            "id": str(uuid.uuid4()),
            "action": "publish",
            "status": status,
            "total": len(items),
            **columns,
        }
        columns_of |= {one: items.count(one) for one in ("done", "failed")}
        rows = []
        for item in items:
            row = {
                "batch_id": columns_of["id"],
                "target_id": school.lesson(item),
                "status": item,
                "due_at": "tomorrow",
            }
            if item == "done":
                before = {
                    "at": "2999-01-01T00:00:00+00:00",
                    "asset_id": None,
                    "plays": True,
                    "status": "draft",
                }
                row["before"] = json.dumps(before | {"published_at": None, "publish_on_ready": False})
            rows.append(("batch_items", row))
        return school.insert(("batches", columns_of), *rows)

    return make


def account(role: str, **columns: object) -> Make:
    def make(school: School) -> str:
        person = school.stack.person(role)
        for name in ("nightly", "weekly"):
            school.insert(
                ("api_tokens", {"user_id": person.id, "name": name, "secret_hash": str(uuid.uuid4())})
            )
            school.insert(
                (
                    "user_sessions",
                    {"user_id": person.id, "secret_hash": str(uuid.uuid4()), "user_agent": name},
                )
            )
        school.insert(("courses", {"title": "Bread", "instructor_id": person.id}))
        for name, value in columns.items():
            school.stack.sql(f"UPDATE users SET {name} = %s WHERE id = %s", value, person.id)  # noqa: S608 - a column's name
        return str(person.id)

    return make


def changed(school: School) -> str:
    ((found,),) = school.stack.sql(
        "INSERT INTO audit_log (actor_type, actor_id, action, target_type, detail) VALUES ('user', %s, 'lesson.updated',"
        " 'lesson', '{\"reason\": \"x\"}') RETURNING id",
        school.owner.id,
    )
    return str(found)


LESSONS = (
    "stuck, no file",
    "the file is in",
    "failed",
    "published",
    "draft",
    "replacement failed",
    "replaced",
)
ROWS: dict[str, list[tuple[str, Make]]] = {
    "lesson": [(state, STATES[state]) for state in LESSONS],
    "course": [
        ("without a preview", lambda school: school.course("Bread")),
        ("with one", lambda school: school.course("Bread", preview=True)),
    ],
    "tracking": [
        ("processing", upload("processing", mux_asset_id="asset-rye")),
        ("failed", upload("error", error_type="asset_errored", error_message="It broke.")),
    ],
    "event": [("failed", event("failed")), ("waiting", event(None))],
    "deletion": [
        ("failing", deletion(attempts=3, last_error="It broke.", due_at="tomorrow")),
        ("in its grace time", deletion(due_at="tomorrow")),
    ],
    "batch": [
        ("running", batch("open", "open", "done")),
        ("stopped", batch("stopped", "open", "done")),
        ("done", batch("done", "done", "failed")),
    ],
    "purchase": [("in force", purchase), ("revoked", revoked)],
    "person": [("person", account("instructor")), ("student", account("student"))],
    "audit": [("row", changed)],
}


def choose_first(page: Page, address: str) -> None:
    """The first row of a list; what the page said instead, if it has none."""
    page.goto(address)
    rows = page.locator("input[name=rowid]")
    assert rows.count(), page.locator("main").inner_text()
    rows.first.check()


def press_rows(page: Page, school: School, rows: dict[str, list[tuple[str, Make]]]) -> Presser:
    presser = Presser(page)
    for slug, states in rows.items():
        for state, make in states:
            presser.press_all(
                f"{slug}: {state}",
                lambda slug=slug, make=make: page.goto(f"/admin/{slug}/details/?id={make(school)}"),
                skip=SIGN_OUT,
            )
    return presser


@pytest.mark.parametrize("slug", ROWS)
def test_every_button_of_the_page_of_one_row(panel: Page, school: School, slug: str) -> None:
    presser = press_rows(panel, school, {slug: ROWS[slug]})
    assert presser.dead == []
    assert presser.count > len(ROWS[slug])


def test_every_button_of_an_account(of_admin: Page, school: School) -> None:
    people = [("instructor", account("instructor")), ("disabled", account("student", active=False))]
    presser = press_rows(of_admin, school, {"user": people})
    presser.press_all("new account", lambda: of_admin.goto("/admin/user/new/"), skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 10


def test_every_button_of_every_section(of_admin: Page, school: School) -> None:
    """The sections are those of the menu; where rows can be chosen, each is pressed with none and with one."""
    for slug, states in ROWS.items():
        for _, make in states if slug != "lesson" else states[:1]:
            make(school)
    purchase(school)
    page, presser = of_admin, Presser(of_admin)
    page.goto("/admin/")
    sections = page.locator(".side__link[href^='/admin/']").evaluate_all(
        "all => all.map((one) => one.pathname)"
    )

    for section in sections:
        presser.press_all(section, lambda section=section: page.goto(section), skip=SIGN_OUT)
        page.goto(section)
        if page.locator("input[name=rowid]").count():
            presser.press_all(
                f"{section} with a row", lambda section=section: choose_first(page, section), skip=SIGN_OUT
            )
    for query in ("Rye", "nothing like it"):
        presser.press_all(
            f"search {query}", lambda query=query: page.goto(f"/admin/search/?q={query}"), skip=SIGN_OUT
        )
    assert presser.dead == []
    assert presser.count > len(sections)


ACTIONS = [
    ("lesson", "Publish"),
    ("lesson", "Remove video"),
    ("tracking", "Check with Mux"),
    ("event", "Replay"),
]


def test_every_button_of_the_question_before_an_action(panel: Page, school: School) -> None:
    presser = Presser(panel)

    def ask(slug: str, label: str) -> None:
        row = {"lesson": STATES["draft"], "tracking": upload("processing"), "event": event("failed")}[slug](
            school
        )
        choose_first(panel, f"/admin/{slug}/?search={row}")
        panel.get_by_role("button", name=label, exact=True).click()
        panel.wait_for_url("**/action/")

    for slug, label in ACTIONS:
        presser.press_all(f"{label}?", lambda slug=slug, label=label: ask(slug, label), skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 2 * len(ACTIONS)


def test_every_button_of_a_phone_and_of_what_is_said_after_an_action(panel: Page, school: School) -> None:
    """On a phone the actions are in a menu; what was published says so with a button that undoes it."""
    presser = Presser(panel)

    def publish() -> None:
        panel.goto(f"/admin/lesson/details/?id={STATES['draft'](school)}")
        panel.get_by_role("button", name="Publish", exact=True).click()
        expect(panel.locator(".toast").get_by_role("button", name="Undo")).to_be_visible()

    def choose() -> None:
        choose_first(panel, f"/admin/lesson/?search={STATES['draft'](school)}")

    presser.press_all("published", publish, skip=SIGN_OUT)
    panel.set_viewport_size({"width": 390, "height": 844})
    presser.press_all("on a phone", choose, skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 10


def failed_jobs(stack: Stack, page: Page) -> None:
    """Two, so that all of them can be tried again at once."""
    with Redis.from_url(stack.settings["REDIS_URL"]) as redis:
        queue = ListedQueue("bulk", connection=redis, serializer=JSONSerializer)
        for n in range(2):
            queue.enqueue("lessonadmin.jobs.batches.run_batch_item", f"no id {n}", failure_ttl=600)
        stack.until(lambda: len(queue.failed_job_registry.get_job_ids()) >= 2)
    page.goto("/admin/jobs/")


def test_every_button_of_failed_jobs(panel: Page, stack: Stack) -> None:
    presser = Presser(panel)
    presser.press_all("jobs", lambda: failed_jobs(stack, panel), skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 4


@pytest.fixture
def found(stack: Stack, school: School) -> Iterator[Callable[[], str]]:
    """A sync check that has just found a mismatch of every kind; a new one each time that it is called."""
    made = []

    def make() -> str:
        made.append(str(uuid.uuid4()))
        run = {"id": made[-1], "started_by": "nightly", "finished_at": "now"}
        kinds = ("orphan", "missing", "duplicate", "wrong_policy", "stale", "unknown_upload")
        rows = [{"run_id": run["id"], "kind": kind, "mux_id": f"{kind}-{run['id']}"} for kind in kinds]
        return school.insert(("reconcile_runs", run), *(("reconcile_findings", row) for row in rows))

    yield make
    stack.sql("DELETE FROM reconcile_runs WHERE id = ANY(%s::uuid[])", made)


def test_every_button_of_a_sync_check(panel: Page, found: Callable[[], str]) -> None:
    presser = Presser(panel)

    def load() -> None:
        found()
        panel.goto("/admin/reconcile/")
        expect(panel.get_by_role("button", name="Check now")).to_be_enabled()

    presser.press_all("sync check", load, skip=(*SIGN_OUT, "Check now"))
    assert presser.count > 6
    # last, since the report that it asks for shows other buttons
    presser.press_all("sync check", load, skip=SIGN_OUT)
    assert presser.dead == []
