"""Section 1: the commands, their exit codes and what they print; section 2: settings that are missing."""

import re
import uuid
from pathlib import Path

from devstack.servers import ports
from tests import postbox
from tests.contract.callers import Caller
from tests.contract.stack import Stack

SUMMARY = re.compile(r"processed: (\d+)\nupdated: (\d+)\nskipped: (\d+)\nfailed: (\d+)\n$")


def test_accounts_and_tokens(stack: Stack) -> None:
    email = f"new-{uuid.uuid4().hex[:8]}@school.example"
    made = stack.flask(
        "users", "create", email, "--role", "support", "--name", "Nora New", "--password", "a long password"
    )
    assert made.returncode == 0, made.stderr
    row = stack.one("SELECT name, role, active FROM users WHERE email = %s", email)
    assert (row["name"], row["role"], row["active"]) == ("Nora New", "support", True)
    assert stack.flask("users", "create", email, "--role", "support").returncode != 0
    assert stack.flask("users", "create", f"x{email}", "--role", "king").returncode != 0
    token = stack.flask("users", "token", email)
    assert token.returncode == 0
    assert re.fullmatch(r"\S+\n", token.stdout)
    Caller(stack.url, token.stdout.strip()).get("/api/lessons").expect(200)
    assert stack.flask("users", "token", "nobody@school.example").returncode != 0


def test_missing_settings_are_all_named_at_once(stack: Stack) -> None:
    empty = dict.fromkeys(("DATABASE_URL", "SECRET_KEY", "MUX_WEBHOOK_SECRETS"), "")
    refused = stack.flask("sweep", **empty)
    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert all(name in said for name in empty)
    assert "REDIS_URL" not in said
    assert "Traceback" not in said


def test_weak_secrets_are_named_in_one_line_and_not_quoted(stack: Stack) -> None:
    weak = {"SECRET_KEY": "hunter2", "MUX_WEBHOOK_SECRETS": f"hunter2,{'w' * 40}"}
    refused = stack.flask("sweep", **weak, PUBLIC_URL="https://lessons.example.org")
    assert refused.returncode != 0
    assert len(refused.stderr.strip().splitlines()) == 1
    assert all(name in refused.stderr for name in weak)
    assert "hunter2" not in refused.stderr
    assert stack.flask("users", "list", **weak).returncode == 0, "where it is only tried out it starts"


def test_a_folder_for_metrics_that_is_a_link_stops_the_start_in_one_line(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    refused = stack.flask("sweep", PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "link"))
    assert refused.returncode != 0
    assert len(refused.stderr.strip().splitlines()) == 1
    assert f"{tmp_path / 'link'}, is no folder of its own" in refused.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_any_driver_suffix_is_accepted(stack: Stack) -> None:
    url = f"postgresql+asyncpg://{stack.database.partition('://')[2]}"
    assert stack.flask("users", "list", DATABASE_URL=url).returncode == 0


def test_one_sweep(stack: Stack) -> None:
    done = stack.flask("sweep")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_worker_until_the_queues_are_empty(stack: Stack) -> None:
    assert stack.flask("worker", "--burst").returncode == 0


def test_fix_lessons(stack: Stack) -> None:
    ready, preparing = stack.mux.asset("ready"), stack.mux.asset()
    errored = stack.mux.asset("errored", errors={"type": "invalid_input", "messages": ["No video."]})
    old = stack.lesson_row(mux_asset_id=ready["id"])
    watched = stack.lesson_row(mux_asset_id=preparing["id"], video_processing_status="processing")
    failed = stack.lesson_row(mux_asset_id=errored["id"], video_processing_status="processing")
    missing = stack.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", video_processing_status="processing")
    upload = stack.mux.upload({"other": "thing"})
    healed = stack.mux.asset_of(upload["id"], "ready")
    temporary = stack.lesson_row(mux_asset_id=f"temp_{upload['id']}", video_processing_status="processing")
    kept = stack.lesson_row(mux_asset_id=stack.mux.asset("ready")["id"], publish_on_ready=False)
    plan = stack.flask("fix-lessons", "--dry-run", "--delay", "0")
    assert SUMMARY.search(plan.stdout), plan.stdout + plan.stderr
    assert stack.lesson(old)["status"] == "draft"
    done = stack.flask("fix-lessons", "--batch-size", "2", "--delay", "0")
    summary = SUMMARY.search(done.stdout)
    assert summary, done.stdout + done.stderr
    processed, updated, skipped, bad = map(int, summary.groups())
    assert processed == updated + skipped + bad
    assert updated >= 3
    assert bad >= 2
    assert done.returncode != 0  # something failed
    for lesson_id, asset in ((old, ready), (temporary, healed)):
        row = stack.lesson(lesson_id)
        assert (row["status"], row["mux_asset_id"]) == ("published", asset["id"])
        assert row["mux_playback_id"] == asset["playback_ids"][0]["id"]
    assert [row["upload_id"] for row in stack.tracking(old)] == ["migrated"]
    assert [row["status"] for row in stack.tracking(watched)] == ["processing"]
    assert stack.lesson(failed)["video_processing_status"] == "error"
    assert stack.lesson(missing)["mux_asset_id"] is None
    assert stack.lesson(kept)["status"] == "draft"
    again = SUMMARY.search(stack.flask("fix-lessons", "--delay", "0").stdout)
    assert again
    assert (again[2], again[4]) == ("0", "0")


def test_fix_lessons_and_temporary_playback_ids(stack: Stack, instructor: Caller, student: Caller) -> None:
    """A published lesson with a true asset and a made-up playback id is not sold until Mux has told the true one."""
    asset, finished = stack.mux.asset("ready"), stack.mux.asset("ready")
    playback_id = asset["playback_ids"][0]["id"]
    broken = stack.lesson_row(
        mux_asset_id=asset["id"],
        mux_playback_id="temp_playback_1700000000",
        video_processing_status="ready",
        status="published",
    )
    draft = stack.lesson_row(
        mux_asset_id=finished["id"],
        mux_playback_id=finished["playback_ids"][0]["id"],
        video_processing_status="ready",
    )
    assert instructor.get(f"/api/lessons/{broken}/playback").expect(409).error == "not_ready"
    assert instructor.seen(broken)["visible_to_students"] is False
    student.get(f"/api/lessons/{broken}").expect(404)
    student.get(f"/api/lessons/{broken}/playback").expect(404)
    stack.flask("fix-lessons", "--delay", "0")
    assert student.get(f"/api/lessons/{broken}/playback").expect(200).json["playback_id"] == playback_id
    assert [row["mux_playback_id"] for row in stack.tracking(broken)] == [playback_id]
    left = stack.lesson(draft)
    assert (left["status"], left["publish_on_ready"], stack.tracking(draft)) == ("draft", True, [])


def test_lessons_out_of_a_file(stack: Stack, student: Caller, tmp_path: Path) -> None:
    asset = stack.mux.asset("ready")
    word, instructor = f"w{uuid.uuid4().hex[:8]}", stack.who("instructor").email
    file, report = tmp_path / "lessons.csv", tmp_path / "report.csv"
    file.write_text(
        "title;price;teacher;course;asset id;status\r\n"
        f"{word} one;9,99;{instructor};{word};{asset['id']};published\r\n"
        f"{word} two;;{instructor};{word};A{uuid.uuid4().hex};\r\n"
        f"{word} three;;nobody@school.example;;;\r\n"
    )
    plan = stack.flask("import-lessons", str(file), "--dry-run")
    assert plan.stdout.endswith("processed: 3\nupdated: 1\nskipped: 0\nfailed: 2\n"), (
        plan.stdout + plan.stderr
    )
    titles = "SELECT id, price_cents FROM lessons WHERE title LIKE %s"
    assert stack.sql(titles, f"{word}%") == []
    done = stack.flask("import-lessons", str(file), "--report", str(report))
    assert done.returncode == 1
    assert done.stdout.endswith("processed: 3\nupdated: 1\nskipped: 0\nfailed: 2\n"), (
        done.stdout + done.stderr
    )
    row = stack.one(titles, f"{word}%")
    assert row["price_cents"] == 999
    seen = student.get(f"/api/lessons/{row['id']}").expect(200).json
    assert (seen["status"], seen["visible_to_students"]) == ("published", True)
    assert len(report.read_text().splitlines()) == 4
    again = stack.flask("import-lessons", str(file))
    assert again.stdout.endswith("processed: 3\nupdated: 0\nskipped: 1\nfailed: 2\n"), (
        again.stdout + again.stderr
    )
    assert len(stack.sql(titles, f"{word}%")) == 1


def test_an_imported_lesson_is_taken_in_by_the_clock(stack: Stack, student: Caller) -> None:
    """The author of the row filled the ids and forgot the state of the video."""
    asset = stack.mux.asset("ready")
    playback_id = asset["playback_ids"][0]["id"]
    lesson_id = stack.lesson_row(
        mux_asset_id=asset["id"], mux_playback_id=playback_id, status="published", publish_on_ready=False
    )
    stack.until(lambda: student.get(f"/api/lessons/{lesson_id}/playback").status == 200)
    assert student.get(f"/api/lessons/{lesson_id}/playback").json["playback_id"] == playback_id


def test_reconcile(stack: Stack, instructor: Caller) -> None:
    # a reconciliation looks at the whole school, and each row that other checks wrote by hand would cost it a call to Mux
    stack.without_lessons()
    stack.mux.assets.clear()
    day_before_yesterday = "1700000000"
    lesson_id = instructor.lesson()["id"]
    ours = f'{{"lesson_id": "{lesson_id}"}}'
    orphan = stack.mux.asset("ready", passthrough=ours, created_at=day_before_yesterday)
    young = stack.mux.asset("ready", passthrough=ours)
    foreign = stack.mux.asset("ready", passthrough="another application", created_at=day_before_yesterday)
    gone = f"A{uuid.uuid4().hex}"
    missing = stack.lesson_row(
        mux_asset_id=gone,
        mux_playback_id="P",
        video_processing_status="ready",
        status="published",
        publish_on_ready=False,
    )
    plan = stack.flask("reconcile", "--dry-run")
    lines = [line.split(maxsplit=3) for line in plan.stdout.splitlines()]
    found = {(line[0], line[1]) for line in lines if len(line) >= 2}
    assert ("orphan", orphan["id"]) in found, plan.stdout + plan.stderr
    assert ("missing", gone) in found
    assert not {one for one in found if one[1] in (young["id"], foreign["id"])}
    assert stack.lesson(missing)["status"] == "published"
    stack.flask("reconcile")
    assert orphan["id"] in stack.mux.assets
    assert stack.lesson(missing)["mux_asset_id"] is None
    stack.flask("reconcile", "--delete-orphans")
    stack.until(lambda: orphan["id"] not in stack.mux.assets)
    assert stack.one("SELECT done_at FROM asset_deletions WHERE mux_asset_id = %s", orphan["id"])
    assert young["id"] in stack.mux.assets
    assert foreign["id"] in stack.mux.assets
    assert orphan["id"] not in stack.flask("reconcile", "--dry-run").stdout


def test_replaying_events(stack: Stack) -> None:
    assert stack.flask("events", "replay", "--failed").returncode == 0
    assert stack.flask("events", "replay", "--id", str(uuid.uuid4())).returncode != 0
    event_id = str(uuid.uuid4())
    stack.hook.event("video.asset.ready", {"id": f"A{uuid.uuid4().hex}"}, id=event_id).expect(204)
    row = stack.one("SELECT id FROM mux_events WHERE mux_event_id = %s", event_id)
    for name in (str(row["id"]), event_id):
        assert stack.flask("events", "replay", "--id", name).returncode == 0
    assert stack.flask("events", "replay").returncode == 0


def test_the_doctor(stack: Stack) -> None:
    examined = stack.flask("doctor")
    assert examined.returncode in (0, 1)
    assert "database" in examined.stdout.lower()
    assert "Traceback" not in examined.stderr


def test_the_doctor_names_what_is_wrong_and_what_to_do(stack: Stack) -> None:
    stack.mux.token_refused = True
    with postbox.running() as box:
        box.password = ""  # it takes a password, and offers no TLS
        mail_url = box.url.replace("://", "://user:word@")
        examined = stack.flask(
            "doctor", REDIS_URL=f"redis://127.0.0.1:{ports.any_free()}/0", MAIL_URL=mail_url
        )
    stack.mux.calm()
    assert {"EHLO"} <= set(box.words) <= {"EHLO", "QUIT"}
    assert examined.returncode == 1
    assert "Traceback" not in examined.stderr
    lines = examined.stdout.splitlines()
    failing = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    said = " ".join(lines[number].lower() for number in failing)
    assert "redis" in said
    assert "token" in said
    assert "does not offer tls" in said
    assert [lines[number] for number in failing if not lines[number + 1].startswith("      -> ")] == []
