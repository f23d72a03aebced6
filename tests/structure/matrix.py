"""What every role gets from every route: `python -m tests.structure.matrix` measures it anew and writes `matrix.txt`, and
what each page may load: `policies.txt`.

Each cell is one real request, with a body that would do something if it were let in, at an application on PostgreSQL. Read the
difference before you commit it: a number that was 403, 404 or `login` and is no more opens something, and so does a new `+`.

    login       sent to the sign-in page       catalog    sent to the catalogue       own      sent to choose a password of one's own
    factor      sent to set up a second step   +          rows were changed           ~        sent elsewhere in the app
    200 .. 503  the status

The columns: not signed in; a student; the instructor whose lesson, course, upload, notice and token the request names; another
instructor; support; admin; a session of a disabled account; one with a temporary password; the admin
without a second step where STAFF_SECOND_FACTOR=required; API tokens of the instructor (`read`, `write`),
of an admin (`staff`) and of the disabled account (`ended`); the admin's session without the token of its forms (`no csrf`).
"""

import base64
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from werkzeug.routing import Rule

from lessonadmin import config
from tests.settings import overridden
from tests.structure.roles import methods_of
from tests.structure.world import World, insert

TABLE = Path(__file__).with_name("matrix.txt")
POLICIES = Path(__file__).with_name("policies.txt")
UNKNOWN = "01a22aef-0000-7000-8000-000000000000"  # for ids of which the world has none
NONCE = re.compile(r"'nonce-[\w-]+'")
WRITE = "LESSONADMIN_WRITE_MATRIX"
COLUMNS = (
    "anonymous", "student", "own", "foreign", "support", "admin", "disabled", "temporary", "no_factor", "read", "write", "staff", "ended", "no_csrf",
)  # fmt: skip
# Where an account is sent that has to do something first, and how the table says it.
SENT_TO_DO = {"temporary": {"/account": "own"}, "no_factor": {"/account/security": "factor"}}
# Counters and signs of life: they say that a request came, and change nothing of the school.
COUNTERS = frozenset(
    {
        "throttles",
        "security_counts",
        "sign_in_failures",
        "heartbeats",
        "mux_budget",
        "mux_calls",
        "hourly_figures",
    }
)


@dataclass(frozen=True)
class Ask:
    """What a request carries, with `{names}` of the world. `path` names what stands in the address."""

    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    path: dict[str, str] = field(default_factory=dict)


PATH = {
    "passkey_id": "{passkey}", "lesson_id": "{draft}", "course_id": "{course}", "notice_id": "{notice}", "token_id": "{token}", "asset_id": "{asset}",
    "session_id": "{session}", "user_id": "{subject}", "filename": "css/base.css", "export_type": "csv", "owner_id": "{thrown}", "kind": "lesson", "purchase_id": "{purchase}", "link_id": "{preview_link}", "file_id": "{file}", "batch_id": "{own_batch}", "section_id": "{section}",
}  # fmt: skip
FREE = {"lesson_id": "{free}"}
SOLD = {"lesson_id": "{sold}", "course_id": "{open_course}"}
THROWN = {"lesson_id": "{thrown}", "course_id": "{thrown_course}"}
SENDING = {"lesson_id": "{sending}"}
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"
VTT_BASE64 = base64.b64encode(VTT).decode()
UPLOAD = Ask(json={"lesson_id": "{draft}", "filename": "a.mp4"})
SENT = Ask(json={"lesson_id": "{sending}", "upload_id": "{mux_upload_open}"})
LESSON = {"title": "Other", "price": "9.00", "status": "draft", "status_was": "draft", "version": "1"}
NEW_PASSWORD = {
    "old_password": "{password}",
    "new_password": "another long one",
    "repeat_password": "another long one",
}
# Of which row the panel's pages are about.
PANEL = {
    "lesson": "{draft}", "course": "{course}", "tracking": "{upload}", "event": "{event}", "deletion": "{deletion}", "batch": "{batch}",
    "purchase": "{purchase}", "person": "{subject}", "user": "{subject}", "audit": "{audit}",
}  # fmt: skip
# What would do something, by the name of the route. A route that is not here is asked with an empty form.
ASKS: dict[str, Ask] = {
    "account.change_password": Ask(form=NEW_PASSWORD),
    "account.choose_mail": Ask(form={"mail_notices": ""}),
    "account.create_token": Ask(form={"password": "{password}", "name": "script"}),
    "account.end_sessions": Ask(form={"session_id": "{session}"}),
    "admin_batch.retry_row_view": Ask(form={"id": "{batch}", "item": "{item}"}),
    "admin_course.action_view": Ask(form={"action": "recheck", "rowid": "{course}"}),
    "admin_course.edit_view": Ask(form={"title": "Other", "version": "1", "teacher": "{own_email}"}),
    "admin_event.action_view": Ask(form={"action": "replay", "rowid": "{event}"}),
    "admin_jobs.delete": Ask(form={"job": "unknown"}),
    "admin_jobs.retry": Ask(form={"job": "unknown"}),
    "admin_lesson.action_view": Ask(form={"action": "publish", "rowid": "{draft}"}),
    "admin_lesson.cancel_upload_view": Ask(form={"id": "{sending}"}),
    "admin_lesson.edit_view": Ask(form={"title": "Other", "price": "9.00", "version": "1"}),
    "admin_lesson.note_view": Ask(form={"id": "{draft}", "text": "Asked."}),
    "admin_lesson.upload_again_view": Ask(form={"id": "{sending}"}),
    "admin_person.sessions_view": Ask(form={"id": "{subject}"}),
    "admin_purchase.give_view": Ask(form={"lesson": "{sold}", "email": "{student_email}", "reason": "asked"}),
    "admin_purchase.restore_view": Ask(form={"id": "{purchase}", "reason": "asked"}),
    "admin_purchase.revoke_view": Ask(form={"id": "{purchase}", "reason": "asked"}),
    "admin_reconcile.mend": Ask(form={"kind": "stale", "reason": "asked"}),
    "admin_search.index": Ask(query={"q": "{draft}"}),
    "admin_tracking.action_view": Ask(form={"action": "recheck", "rowid": "{upload_open}"}),
    "admin_trash.put_back": Ask(form={"kind": "lesson", "id": "{draft}", "reason": "asked"}),
    "admin_trash.restore": Ask(form={"kind": "lesson", "id": "{thrown}", "reason": "asked"}),
    "admin_user.active_view": Ask(form={"id": "{subject}", "active": "0"}),
    "admin_user.create_view": Ask(form={"email": "new@school.example", "role": "student"}),
    "admin_user.handover_view": Ask(form={"id": "{own}", "to": "{foreign_email}", "reason": "asked"}),
    "admin_user.role_view": Ask(form={"id": "{subject}", "role": "student"}),
    "api.add_captions": Ask(json={"language": "de", "captions": VTT_BASE64}),
    "api.add_file": Ask(json={"name": "new.pdf", "size": 3}),
    "api.add_file_part": Ask(json={"number": 0, "data": "YWJj"}, path={"file_id": "{file_open}"}),
    "api.ask_for_upload_url": UPLOAD,
    "api.ask_for_upload_url_also": UPLOAD,
    "api.ask_for_upload_url_again": Ask(json={"upload_id": "{mux_upload_open}"}),
    "api.buy_lesson": Ask(path=SOLD),
    "api.cancel_upload": Ask(json={"upload_id": "{mux_upload_open}"}),
    "api.change_course": Ask(json={"title": "Other"}),
    "api.change_lesson": Ask(json={"title": "Other"}),
    "api.check_asset_status": Ask(query={"lesson_id": "{draft}"}),
    "api.check_upload_status": Ask(query={"lesson_id": "{sending}"}),
    "api.create_course": Ask(json={"title": "New"}),
    "api.create_lesson": Ask(json={"title": "New"}),
    "api.give_lesson": Ask(path=SOLD, json={"user_id": "{student}", "reason": "asked"}),
    "api.restore_course": Ask(path=THROWN),
    "api.restore_lesson": Ask(path=THROWN),
    "api.report_progress": Ask(json={"seconds": 5, "duration": 61}),
    "api.revoke_purchase": Ask(path=SOLD),
    "api.track_upload": SENT,
    "api.track_upload_also": SENT,
    "api.update_asset": Ask(json={"lesson_id": "{draft}", "mux_asset_id": "{asset_gone}", "mux_playback_id": "{playback}"}),
    "caption_text.show": Ask(path={"signed": "{captions_signed}"}),
    "catalog.buy": Ask(form={"price_cents": "900"}, path=SOLD),
    "catalog.course": Ask(path=SOLD),
    "catalog.mark_done": Ask(form={"done": "1"}),
    "catalog.lesson": Ask(path=SOLD),
    "courses.add_section": Ask(form={"section": "New"}),
    "courses.rename_section": Ask(form={"section": "Other", "version": "1"}),
    "courses.remove_section": Ask(form={"version": "1"}),
    "courses.create": Ask(form={"title": "New"}),
    "courses.order": Ask(form={"lesson_id": "{draft}"}),
    "courses.take_back": Ask(form={"edit_id": "{audit}", "version": "1"}),
    "courses.save": Ask(form={"title": "Other", "version": "1"}),
    "lessons.bulk": Ask(form={"action": "unpublish", "rowid": "{draft}", "once": "{draft}"}),
    "lessons.cancel": Ask(path=SENDING),
    "lessons.add_captions": Ask(form={"language": "de", "captions": VTT}),
    "lessons.check_captions": Ask(form={"track": "{captions}", "checked": "1"}),
    "lessons.make_captions": Ask(form={"language": "de"}),
    "lessons.remove_captions": Ask(form={"track": "{captions}"}),
    "lessons.create": Ask(form=LESSON),
    "lessons.save": Ask(form=LESSON),
    "lessons.take_back": Ask(form={"edit_id": "{audit}", "version": "1"}),
    "lessons.unpublish": Ask(path=SOLD),
    "lessons.unsaved_changes": Ask(form={"page_id": "{draft}"}),
    "notices.mark_all": Ask(form={"until": "{notice}"}),
    "lessons.restore_file": Ask(path={"file_id": "{file_removed}"}),
    "shared_preview.download_file": Ask(path={"secret": "{preview_secret}"}),
    "shared_preview.show": Ask(path={"secret": "{preview_secret}"}),
    "trash.put_back": Ask(form={"course_id": "{course}", "rowid": "{draft}"}),
    "trash.restore_chosen": Ask(form={"action": "restore_as_draft", "sure": "1", "course_id": "{thrown_course}", "rowid": "{thrown}"}),
    "sign_in_methods.rename_passkey": Ask(form={"name": "Other"}),
    "sign_in.login_post": Ask(form={"email": "{own_email}", "password": "{password}"}),
}  # fmt: skip
# A second row for routes whose answer depends on what they are about: the name of the variant, and the request.
VARIANTS: dict[str, tuple[tuple[str, Ask], ...]] = {
    "api.show_lesson": (("on sale", Ask(path=SOLD)),),
    "api.show_course": (("on sale", Ask(path=SOLD)),),
    "api.play_lesson": (("on sale", Ask(path=SOLD)), ("free", Ask(path=FREE))),
    "api.show_transcript": (("on sale", Ask(path=SOLD)),),
    "api.change_lesson": (("on sale", Ask(json={"title": "Other"}, path=SOLD)),),
    "api.delete_lesson": (("on sale", Ask(path=SOLD)), ("sending", Ask(path=SENDING))),
    "api.buy_lesson": (("draft", Ask()), ("free", Ask(path=FREE))),
    "api.ask_for_upload_url": (("course", Ask(json={"course_id": "{course}", "filename": "a.mp4"})),),
    "api.check_asset_status": (("on sale", Ask(query={"lesson_id": "{sold}"})), ("course", Ask(query={"course_id": "{course}"}))),
    "api.create_lesson": (("in a course", Ask(json={"title": "New", "course_id": "{course}"})),),
    "caption_text.show": (("unsigned", Ask(path={"signed": "{captions_own}"})),),
    "catalog.lesson": (("draft", Ask()),),
    "shared_preview.show": (("ended", Ask()),),
    "shared_preview.download_file": (("ended", Ask()),),
    "catalog.download_file": (("on sale", Ask(path=SOLD | {"file_id": "{file_sold}"})), ("free", Ask(path=FREE | {"file_id": "{file_free}"}))),
    "api.list_files": (("on sale", Ask(path=SOLD)), ("free", Ask(path=FREE))),
    "catalog.course": (("no lesson on sale", Ask()),),
    "catalog.buy": (("draft", Ask(form={"price_cents": "900"})),),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the table: a route, a method, and what is sent."""

    rule: Rule
    method: str
    ask: Ask
    variant: str = ""

    @property
    def endpoint(self) -> str:
        return str(self.rule.endpoint)

    @property
    def label(self) -> str:
        return f"{self.method} {self.rule.rule}" + (f" ({self.variant})" if self.variant else "")


def rows_of(app: Flask) -> list[Row]:
    found = []
    for rule in app.url_map.iter_rules():
        for method in methods_of(rule):
            ask = ASKS.get(rule.endpoint) or _panel_ask(rule, method)
            found.append(Row(rule, method, ask))
            found += [Row(rule, method, more, name) for name, more in VARIANTS.get(rule.endpoint, ())]
    return sorted(found, key=lambda row: (row.label.partition(" ")[2], row.method))


def _panel_ask(rule: Rule, method: str) -> Ask:
    """Of a page of the panel: its row, named in the address or in the form."""
    slug = str(rule.endpoint).partition(".")[0].removeprefix("admin_")
    row = {"id": PANEL[slug]} if slug in PANEL else {}
    return Ask(query=row) if method == "GET" else Ask(form=row)


def address_of(rule: Rule, ask: Ask, world: World) -> str:
    values: dict[str, object] = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        values[name] = world.fill({**PATH, **ask.path}.get(name, "x"))
        if type(converter).__name__ == "UUIDConverter" and values[name] == "x":
            values[name] = UNKNOWN
        if type(converter).__name__ == "AnyConverter" and values[name] == "x":
            values[name] = sorted(converter.items)[0]  # type: ignore[attr-defined]
    built = rule.build(values)
    assert built is not None, f"{rule.rule}: PATH has no value for {rule.arguments}"
    return built[1]


def request_of(row: Row, world: World) -> dict[str, Any]:
    """As a test client takes it."""
    wanted: dict[str, Any] = {"path": address_of(row.rule, row.ask, world), "method": row.method}
    query = dict(row.ask.query)
    if row.method != "GET":
        if row.ask.json is not None:
            wanted["json"] = world.fill(row.ask.json)
        elif row.rule.rule.startswith("/api/"):
            wanted["json"] = {}
        else:
            wanted["data"] = {name: _sent(value) for name, value in world.fill(row.ask.form or {}).items()}
        if str(row.endpoint).endswith(".edit_view"):
            query |= _panel_ask(row.rule, "GET").query
    elif str(row.endpoint).endswith(".edit_view"):
        query |= _panel_ask(row.rule, "GET").query
    return wanted | {"query_string": world.fill(query)}


def _sent(value: Any) -> Any:
    """Bytes are a file, which is new for each request."""
    return (BytesIO(value), "file") if isinstance(value, bytes) else value


class Changes:
    """Hears of every row that a committed transaction has changed, by triggers that are there for as long as this is."""

    def __init__(self, url: str, superuser: Callable[[str], Any]) -> None:
        self._name = url.partition("?")[0].rpartition("/")[2]
        self._superuser = superuser
        self._url = "postgresql://" + url.partition("://")[2]

    def __enter__(self) -> "Changes":
        with self._superuser(self._name) as connection:
            connection.execute(INSTALL)
        self._heard = psycopg.connect(self._url, autocommit=True)
        self._heard.execute("LISTEN changed_rows")
        return self

    def __exit__(self, *_: object) -> None:
        self._heard.close()
        with self._superuser(self._name) as connection:
            connection.execute(REMOVE)

    def tables(self) -> set[str]:
        """Since the last time. What was committed before comes before the mark."""
        self._heard.execute("SELECT pg_notify('changed_rows', 'mark')")
        found = set()
        for one in self._heard.notifies(timeout=10):
            if one.payload == "mark":
                return found
            found.add(one.payload)
        raise AssertionError("PostgreSQL told nothing")


INSTALL = """
CREATE FUNCTION tell_of_changed_rows() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_notify('changed_rows', TG_TABLE_NAME); RETURN NULL; END $$;
DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('CREATE TRIGGER tell_of_changed_rows AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION tell_of_changed_rows()', t);
  END LOOP; END $$;
"""
REMOVE = "DROP FUNCTION IF EXISTS tell_of_changed_rows() CASCADE"


@dataclass
class Measuring:
    """Sends requests into a world that is made anew after each that changed it."""

    app: Flask
    changes: Changes
    empty: Callable[[], None]
    prepare: Callable[[World], None] | None = None
    _world: World | None = None
    tables: set[str] = field(default_factory=set)
    policies: dict[str, set[str]] = field(default_factory=dict)  # of pages, by route

    def world(self) -> World:
        if self._world is None:
            self.empty()
            self._world = insert(self.app)
            if self.prepare is not None:
                self.prepare(self._world)
            self.changes.tables()
        return self._world

    def send(self, row: Row, column: str) -> Any:
        """The answer; `tables` says what it changed."""
        world = self.world()
        browser = self.app.test_client(use_cookies=False)
        duty = {"staff_second_factor": "required"} if column == "no_factor" else {}
        with overridden(**duty):
            answer = browser.open(**request_of(row, world), headers=world.headers[column])
        if answer.mimetype == "text/html" and answer.status_code == 200:
            found = self.policies.setdefault(f"{row.method} {row.rule.rule}", set())
            found.add(plain_policy(answer.headers["Content-Security-Policy"]))
        self.tables = self.changes.tables()
        if self.tables:
            self._world = None
        return answer

    def cell(self, row: Row, column: str) -> str:
        if column == "no_csrf" and row.method == "GET":
            return "-"  # the admin's own, since reading needs no token
        found = _said(self.send(row, column), column)
        return f"{found}+" if self.tables - COUNTERS else found


def plain_policy(policy: str) -> str:
    """With names in the place of what differs from one answer or installation to the next."""
    settings = config.current()
    for name in ("mux_api_url", "mux_stream_url", "mux_image_url"):
        policy = policy.replace(getattr(settings, name), "MUX")
    return NONCE.sub("'nonce'", policy)


def written_policies(found: dict[str, set[str]]) -> list[str]:
    """Each policy once, with the pages that have it."""
    pages: dict[str, list[str]] = {}
    for label, policies in found.items():
        pages.setdefault(" OR ".join(sorted(policies)), []).append(label)
    lines: list[str] = []
    for policy, labels in sorted(pages.items(), key=lambda item: -len(item[1])):
        lines += [*policy.split("; "), *(f"    {label}" for label in sorted(labels)), ""]
    return lines[:-1]


def _said(answer: Any, column: str) -> str:
    if answer.status_code not in (301, 302, 303, 308):
        return str(answer.status_code)
    to = (answer.location or "").partition("?")[0]
    sent = {"/login": "login", "/catalog": "catalog"} | SENT_TO_DO.get(column, {})
    return sent.get(to, "~")


def measure(
    measuring: Measuring, rows: Iterable[Row], columns: Iterable[str] = COLUMNS
) -> dict[str, dict[str, str]]:
    columns = tuple(columns)
    return {row.label: {column: measuring.cell(row, column) for column in columns} for row in rows}


def written(found: dict[str, dict[str, str]]) -> list[str]:
    """The lines of the table."""
    width = max(map(len, found)) + 2
    head = " " * width + " ".join(f"{column.replace('_', ' '):<9}" for column in COLUMNS)
    lines = [head.rstrip()]
    for label, cells in found.items():
        line = f"{label:<{width}}" + " ".join(f"{cells[column]:<9}" for column in COLUMNS)
        lines.append(line.rstrip())
    return lines


def read() -> dict[str, dict[str, str]]:
    """The table as it was agreed."""
    lines = TABLE.read_text().splitlines()
    width = lines[0].index("anonymous")
    return {
        line[:width].rstrip(): dict(zip(COLUMNS, line[width:].split(), strict=True)) for line in lines[1:]
    }


@contextmanager
def writing() -> Iterator[None]:
    os.environ[WRITE] = "1"
    try:
        yield
    finally:
        del os.environ[WRITE]


if __name__ == "__main__":
    import pytest

    with writing():
        sys.exit(
            pytest.main(
                ["-q", "-p", "no:randomly", f"{Path(__file__).with_name('test_matrix.py')}", "-k", "agreed"]
            )
        )
