"""What never leaves: addresses to upload to, passwords, tokens and bodies; and what a new key or password ends."""

import re
import subprocess
import uuid

from devstack import ports, procfile
from devstack.places import ROOT
from tests.contract.callers import Browser, Caller, Hook
from tests.contract.house import PASSWORD, SECRET, House
from tests.contract.test_lessons import ready_lesson


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status == 200


def test_no_log_line_and_no_row_holds_a_secret(house: House, teacher: Caller) -> None:
    lesson_id = teacher.lesson(title="Titles stay out")["id"]
    ticket = teacher.upload(lesson_id=lesson_id)
    teacher.get(f"/api/lessons/{lesson_id}", whisper="in-the-query")
    Browser(house.url).sign_in(teacher.email, "a-wrong-password")
    house.hook.upload("created", house.mux.uploads[ticket["upload_id"]]).expect(204)
    house.sql("DELETE FROM sign_in_failures")
    assert "token=secret" in ticket["upload_url"]
    secrets = (
        "token=secret",
        "in-the-query",
        "a-wrong-password",
        "Titles stay out",
        PASSWORD,
        SECRET,
        teacher.token,
    )
    logs = "".join(file.read_text(errors="replace") for file in sorted(house.folder.glob("*.log")))
    assert lesson_id in logs
    assert [one for one in secrets if one in logs] == []
    tables = [
        row["relname"]
        for row in house.sql(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'"
        )
    ]
    for table in tables:
        for secret in ("token=secret", PASSWORD, teacher.token):
            held = house.sql(f"SELECT 1 FROM {table} t WHERE t::text LIKE %s", f"%{secret}%")  # noqa: S608
            assert held == [], (table, secret)


def test_a_new_secret_key_signs_everybody_out_and_uploads_go_on(house: House, teacher: Caller) -> None:
    browser = house.browser("instructor")
    lesson_id = teacher.lesson()["id"]
    asset = house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"], "ready")
    other = house.web("another key", SECRET_KEY="quite another key")
    assert signed_in(browser)
    assert not signed_in(Browser(other, dict(browser.cookies)))
    Hook(other, SECRET).asset("ready", asset).expect(204)
    assert teacher.seen(lesson_id)["status"] == "published"


def test_a_new_password_and_a_revoked_token_end_what_they_opened(house: House) -> None:
    email = f"moves-{uuid.uuid4().hex[:8]}@school.example"
    assert (
        house.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD).returncode == 0
    )
    here, there = Browser(house.url), Browser(house.url)
    for browser in (here, there):
        browser.sign_in(email, PASSWORD)
        assert signed_in(browser)
    page = here.post("/account/tokens", [("name", "a script"), ("password", PASSWORD)])
    token = re.search(r'copy__value--whole">([^<]+)<', page.text)
    assert token is not None
    script = Caller(house.url, token[1])
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


def test_a_teacher_whose_work_went_to_another_has_no_right_left(house: House, teacher: Caller) -> None:
    lesson_id, _ = ready_lesson(house, teacher)
    course_id = teacher.course()["id"]
    first = house.one("SELECT id FROM users WHERE email = %s", teacher.email)["id"]
    admin = house.browser("admin")
    colleague = house.who("colleague")
    admin.post("/admin/user/handover", [("id", str(first)), ("to", colleague.email), ("reason", "moved")])
    try:
        teacher.get(f"/api/courses/{course_id}").expect(404)
        teacher.patch(f"/api/lessons/{lesson_id}", {"title": "still mine"}).expect(404)
        assert colleague.seen(lesson_id)["video"]["status"] == "ready"
    finally:
        second = house.one("SELECT id FROM users WHERE email = %s", colleague.email)["id"]
        admin.post("/admin/user/handover", [("id", str(second)), ("to", teacher.email), ("reason", "back")])


def test_a_list_for_a_spreadsheet_runs_nothing(house: House) -> None:
    word = f"csv{uuid.uuid4().hex[:8]}"
    house.lesson_row(title=f"=1+1 {word}")
    exported = house.browser("support").get(f"/admin/lesson/export/csv/?search={word}").expect(200)
    assert f"'=1+1 {word}" in exported.text
    assert re.search(rf"(?<!')=1\+1 {word}", exported.text) is None


def test_web_does_not_start_on_tables_that_are_behind(house: House) -> None:
    url = house.empty_database("behind")
    line = procfile.shell(procfile.read(ROOT / "Procfile")["web"])
    changes = {"DATABASE_URL": url, "PORT": str(ports.any_free())}
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=house.environment(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "db upgrade" in done.stderr + done.stdout


def test_rows_are_never_kept_for_less_than_is_safe(house: House) -> None:
    refused = house.flask("sweep", KEEP_DAYS="mux_events=1")
    assert refused.returncode != 0
    assert "at least 30 days" in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr
