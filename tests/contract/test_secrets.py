"""What never leaves: addresses to upload to, passwords, tokens and bodies; and what a new key or password ends."""

import csv
import gzip
import re
import subprocess
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import psycopg

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.servers import ports
from tests.contract.callers import Answer, Browser, Caller, Hook
from tests.contract.stack import PASSWORD, SECRET, Stack
from tests.contract.test_lessons import ready_lesson


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status == 200


def test_no_log_line_and_no_row_holds_a_secret(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson(title="Titles stay out")["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    instructor.get(f"/api/lessons/{lesson_id}", whisper="in-the-query")
    Browser(stack.url).sign_in(instructor.email, "a-wrong-password")
    stack.hook.upload("created", stack.mux.uploads[ticket["upload_id"]]).expect(204)
    stack.sql("DELETE FROM sign_in_failures")
    assert "token=secret" in ticket["upload_url"]
    secrets = (
        "token=secret",
        "in-the-query",
        "a-wrong-password",
        "Titles stay out",
        PASSWORD,
        SECRET,
        instructor.token,
    )
    logs = "".join(file.read_text(errors="replace") for file in sorted(stack.folder.glob("*.log")))
    assert lesson_id in logs
    assert [one for one in secrets if one in logs] == []
    tables = [
        row["relname"]
        for row in stack.sql(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'"
        )
    ]
    assert {"users", "api_tokens", "audit_log", "mux_events"} <= set(tables)
    for table in tables:
        for secret in ("token=secret", PASSWORD, instructor.token):
            held = stack.sql(f"SELECT 1 FROM {table} t WHERE t::text LIKE %s", f"%{secret}%")  # noqa: S608 - names that the tests write
            assert held == [], (table, secret)


def test_a_new_secret_key_signs_all_users_out_and_uploads_go_on(stack: Stack, instructor: Caller) -> None:
    browser = stack.browser("instructor")
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    other = stack.web("another key", SECRET_KEY="quite another key")
    assert signed_in(browser)
    assert not signed_in(Browser(other, dict(browser.cookies)))
    Hook(other, SECRET).asset("ready", asset).expect(204)
    assert instructor.seen(lesson_id)["status"] == "published"


def test_with_the_former_key_beside_the_new_one_users_stay_signed_in(stack: Stack, tmp_path: Path) -> None:
    browser = stack.browser("instructor")
    (tmp_path / "key").write_text("the key of tomorrow, long enough\n")
    keys = {"SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    both = stack.web("both keys", **keys, SECRET_KEY_FALLBACKS=stack.settings["SECRET_KEY"])
    there = Browser(both, dict(browser.cookies))
    assert signed_in(there)
    page = there.post("/account/mail", [("mail_notices", "1")])
    assert page.status < 400, "a form of the page itself is taken"


def test_a_new_password_and_a_revoked_token_end_what_they_opened(stack: Stack) -> None:
    email = f"moves-{uuid.uuid4().hex[:8]}@school.example"
    assert (
        stack.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD).returncode == 0
    )
    here, there = Browser(stack.url), Browser(stack.url)
    for browser in (here, there):
        browser.sign_in(email, PASSWORD)
        assert signed_in(browser)
    page = here.post("/account/tokens", [("name", "a script"), ("password", PASSWORD)])
    token = re.search(r'copy__value--whole">([^<]+)<', page.text)
    assert token is not None
    script = Caller(stack.url, token[1])
    script.get("/api/lessons").expect(200)
    revoke = re.search(r"/account/tokens/[0-9a-f-]{36}/revoke", here.get("/account").text)
    assert revoke is not None
    here.post(revoke[0], [])
    script.get("/api/lessons").expect(401)
    form = [
        ("old_password", PASSWORD),
        ("new_password", "another long password"),
        ("repeat_password", "another long password"),
    ]
    here.post("/account/password", form)
    assert signed_in(here)
    assert not signed_in(there)


def test_what_takes_an_account_back_ends_its_tokens(stack: Stack) -> None:
    email = f"taken-{uuid.uuid4().hex[:8]}@school.example"
    stack.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD)
    user_id = str(stack.one("SELECT id FROM users WHERE email = %s", email)["id"])
    admin, here, password = stack.browser("admin"), Browser(stack.url), PASSWORD

    def change(new: str) -> None:
        form = [("old_password", password), ("new_password", new), ("repeat_password", new)]
        here.post("/account/password", form).expect(302)

    def press(path: str, *fields: tuple[str, str]) -> Answer:
        return admin.post(f"/admin/user/{path}", [("id", user_id), *fields])

    def with_a_token() -> Caller:
        here.cookies.clear()
        here.sign_in(email, password)
        page = here.post("/account/tokens", [("scope", "read"), ("password", password)]).expect(200)
        token = re.search(r'copy__value--whole">([^<]+)<', page.text)
        assert token is not None
        script = Caller(stack.url, token[1])
        script.get("/api/lessons").expect(200)
        script.get("/admin/user/").expect(302)
        return script

    scripts = [with_a_token()]
    change("another long password")
    password = "another long password"
    scripts[-1].get("/api/lessons").expect(401)
    scripts.append(with_a_token())
    here.post("/account/sessions/end", [("here_too", "1")])
    scripts[-1].get("/api/lessons").expect(401)
    scripts.append(with_a_token())
    press("role", ("role", "support"))
    scripts[-1].get("/api/lessons").expect(401)
    scripts.append(with_a_token())
    press("active", ("active", "0"))
    scripts[-1].get("/api/lessons").expect(401)
    press("active", ("active", "1"))
    scripts[-1].get("/api/lessons").expect(401)
    scripts.append(with_a_token())
    press("password").expect(200)
    scripts[-1].get("/api/lessons").expect(401)
    for script in scripts:
        script.get("/api/lessons").expect(401)


def test_an_instructor_whose_work_went_to_another_has_no_right_left(stack: Stack, instructor: Caller) -> None:
    lesson_id, _ = ready_lesson(stack, instructor)
    course_id = instructor.course()["id"]
    first = stack.one("SELECT id FROM users WHERE email = %s", instructor.email)["id"]
    admin = stack.browser("admin")
    colleague = stack.who("colleague")
    admin.post("/admin/user/handover", [("id", str(first)), ("to", colleague.email), ("reason", "moved")])
    try:
        instructor.get(f"/api/courses/{course_id}").expect(404)
        instructor.patch(f"/api/lessons/{lesson_id}", {"title": "still mine"}).expect(404)
        assert colleague.seen(lesson_id)["video"]["status"] == "ready"
    finally:
        second = stack.one("SELECT id FROM users WHERE email = %s", colleague.email)["id"]
        admin.post(
            "/admin/user/handover", [("id", str(second)), ("to", instructor.email), ("reason", "back")]
        )


def test_a_list_for_a_spreadsheet_runs_nothing(stack: Stack) -> None:
    word = f"csv{uuid.uuid4().hex[:8]}"
    stack.lesson_row(title=f"=1+1 {word}")
    stack.lesson_row(title=f"{word} a; =2+2")
    exported = stack.browser("support").get(f"/admin/lesson/export/csv/?search={word}").expect(200)
    assert f"'=1+1 {word}" in exported.text
    assert re.search(rf"(?<!')=1\+1 {word}", exported.text) is None
    for separator in ",;\t":
        cells = [
            cell.strip()
            for row in csv.reader(exported.text.splitlines(), delimiter=separator)
            for cell in row
        ]
        assert not [cell for cell in cells if cell.startswith("=")], separator


def test_web_does_not_start_on_tables_that_are_behind(stack: Stack) -> None:
    url = stack.empty_database("behind")
    line = procfile.shell(procfile.read(ROOT / "Procfile")["web"])
    changes = {"DATABASE_URL": url, "PORT": str(ports.any_free())}
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=stack.environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "db upgrade" in done.stderr + done.stdout


def test_rows_are_never_kept_for_less_than_is_safe(stack: Stack) -> None:
    refused = stack.flask("sweep", KEEP_DAYS="mux_events=1")
    assert refused.returncode != 0
    assert "at least 30 days" in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr


class _Sentry(BaseHTTPRequestHandler):
    """Takes whatever is reported, unpacked."""

    heard: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.heard.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


def test_an_error_is_reported_and_logged_without_what_people_sent(stack: Stack) -> None:
    url = stack.empty_database("broken")
    assert stack.flask("db", "upgrade", DATABASE_URL=url).returncode == 0
    email = "told@school.example"
    stack.flask("users", "create", email, "--role", "support", "--password", PASSWORD, DATABASE_URL=url)
    token = stack.flask("users", "token", email, DATABASE_URL=url).stdout.strip()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE lessons RENAME TO no_lessons")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sentry)
    Thread(target=server.serve_forever, daemon=True).start()
    dsn = f"http://key@127.0.0.1:{server.server_port}/1"
    try:
        web = stack.web("broken web", DATABASE_URL=url, SENTRY_DSN=dsn)
        given = {"title": "in-the-body", "price_cents": 5}
        answer = Caller(web, token).call(
            "POST", "/api/lessons?whisper=in-the-query", given, Cookie="spy=in-the-cookie"
        )
        assert answer.status == 500
        stack.until(lambda: b"UndefinedTable" in b"".join(_Sentry.heard))
    finally:
        server.shutdown()
        server.server_close()
    told = b"".join(_Sentry.heard).decode() + (stack.folder / "broken web.log").read_text()
    assert told.count("UndefinedTable") >= 2, "in the report and in the log"
    unwanted = (
        "in-the-body",
        "in-the-query",
        "in-the-cookie",
        token,
        email,
        SECRET,
        stack.settings["SECRET_KEY"],
    )
    assert [one for one in unwanted if one in told] == []
    assert "in-the-body" not in answer.text
    assert "no_lessons" not in answer.text


def test_looking_changes_nothing(stack: Stack, instructor: Caller) -> None:
    """Support compares with Mux and lets the doctor look, while something could be learned."""
    lesson_id = instructor.lesson()["id"]
    stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")

    def stands() -> list[object]:
        return [
            stack.lesson(lesson_id),
            stack.tracking(lesson_id),
            stack.actions(lesson_id),
            stack.notices(lesson_id),
        ]

    before, asked = stands(), len(stack.mux.calls)
    panel = stack.browser("support")
    page = panel.get(f"/admin/lesson/details/?id={lesson_id}&look=1").expect(200).text
    assert "Nothing was changed by that" in page
    assert [one for one in stack.mux.calls[asked:] if one[2] == "high"]
    panel.get("/admin/doctor/").expect(200)
    assert stands() == before


def test_a_new_role_and_a_new_password_by_an_admin_end_every_session(stack: Stack) -> None:
    email = f"promoted-{uuid.uuid4().hex[:8]}@school.example"
    assert (
        stack.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD).returncode == 0
    )
    user_id = str(stack.one("SELECT id FROM users WHERE email = %s", email)["id"])
    admin, browser = stack.browser("admin"), Browser(stack.url)
    for path, form in (("role", [("role", "support")]), ("password", [])):
        browser.sign_in(email, PASSWORD)
        assert signed_in(browser)
        admin.post(f"/admin/user/{path}", [("id", user_id), *form])
        assert not signed_in(browser), path
    browser.sign_in(email, PASSWORD)
    assert not signed_in(browser), "the old password opens nothing"
    query = "SELECT count(*) AS told FROM notifications WHERE kind = 'account' AND user_id = %s"
    assert stack.one(query, user_id)["told"] == 2, "of the role and of the password"
