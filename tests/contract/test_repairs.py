"""What goes on by itself after something went wrong, and what is left alone: no button is pressed here."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from devstack.places import ROOT
from devstack.processes import procfile
from devstack.servers import ports
from tests import postbox
from tests.contract.callers import Browser, Caller, Doc, Hook
from tests.contract.stack import PASSWORD, SECRET, Stack
from tests.contract.test_lessons import ready_lesson

OLD = "2020-01-01"


def lost(stack: Stack, instructor: Caller) -> str:
    """A lesson whose video is ready at Mux, due for a look, and no webhook said so."""
    lesson_id = str(instructor.lesson()["id"])
    stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    return lesson_id


def due(stack: Stack, *lessons: str) -> None:
    stack.sql(
        "UPDATE mux_asset_tracking SET next_check_at = %s WHERE lesson_id = ANY(%s::uuid[])",
        OLD,
        list(lessons),
    )


def sweep(stack: Stack) -> None:
    """A whole pass by hand."""
    done = stack.flask("sweep")
    assert done.returncode == 0, done.stderr


def test_two_clocks_and_a_sweep_by_hand_do_everything_once(stack: Stack, instructor: Caller) -> None:
    lessons = [lost(stack, instructor) for _ in range(6)]
    second = stack.process(procfile.read(ROOT / "Procfile")["clock"], "second clock")
    beats = (
        "SELECT 1 FROM heartbeats WHERE name LIKE 'clock%%' AND name || coalesce(detail->>'pid', '') LIKE %s"
    )
    stack.until(lambda: stack.sql(beats, f"%{second.pid}"), seconds=30)
    due(stack, *lessons)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: stack.flask("sweep"), range(2)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    stack.until(lambda: all(stack.lesson(one)["status"] == "published" for one in lessons))
    second.terminate()
    second.wait(15)
    assert [stack.actions(one).count("lesson.published") for one in lessons] == [1] * 6
    assert [stack.notices(one) for one in lessons] == [["lesson_published"]] * 6


def test_an_event_before_its_lesson_is_applied_when_the_lesson_comes(
    stack: Stack, instructor: Caller
) -> None:
    lesson_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    asset = stack.mux.asset("ready", passthrough=f'{{"lesson_id": "{lesson_id}"}}')
    stack.hook.asset("ready", asset, id=event_id).expect(204)
    stack.lesson_row(id=lesson_id)
    stack.sql("UPDATE mux_events SET next_attempt_at = now() WHERE mux_event_id = %s", event_id)
    stack.until(lambda: instructor.seen(lesson_id)["status"] == "published")


def test_a_creation_whose_answer_was_lost_is_never_repeated(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    before, bodies = len(stack.mux.uploads), len(stack.mux.bodies)
    stack.mux.answers_lost = True
    refused = instructor.post("/api/mux/upload-url", {"lesson_id": lesson_id, "filename": "a.mp4"}).expect(
        503
    )
    assert refused.error == "mux_unavailable"
    stack.mux.calm()
    time.sleep(2.5)  # two sweeps
    assert (len(stack.mux.uploads) - before, len(stack.mux.bodies) - bodies) == (1, 1)
    assert instructor.seen(lesson_id)["video"]["status"] == "none"
    instructor.upload(lesson_id=lesson_id)
    assert instructor.seen(lesson_id)["video"]["status"] == "uploading"


def test_a_deletion_that_mux_could_not_do_is_tried_again(stack: Stack, instructor: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    stack.mux.keeps.add(asset["id"])
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    row = "SELECT done_at, last_error FROM asset_deletions WHERE mux_asset_id = %s"
    stack.until(lambda: stack.one(row, asset["id"])["last_error"])
    assert asset["id"] in stack.mux.assets
    stack.mux.calm()
    stack.sql(
        "UPDATE asset_deletions SET due_at = %s WHERE mux_asset_id = %s AND done_at IS NULL", OLD, asset["id"]
    )
    stack.until(lambda: stack.one(row, asset["id"])["done_at"])
    assert asset["id"] not in stack.mux.assets
    assert instructor.seen(lesson_id)["video"]["status"] == "none"


def test_what_plays_is_not_deleted_whatever_a_row_says(stack: Stack, instructor: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    row_id = stack.insert("asset_deletions", mux_asset_id=asset["id"], reason="by mistake")
    stack.until(
        lambda: not stack.sql("SELECT 1 FROM asset_deletions WHERE id = %s AND done_at IS NULL", row_id),
        seconds=60,
    )
    assert asset["id"] in stack.mux.assets
    assert stack.mux.asked("DELETE", f"/video/v1/assets/{asset['id']}") == 0
    assert instructor.seen(lesson_id)["status"] == "published"


def test_while_mux_hangs_no_request_waits_for_a_lock(stack: Stack, instructor: Caller) -> None:
    lesson_id = lost(stack, instructor)
    stack.mux.hanging = True
    with ThreadPoolExecutor(1) as pool:
        asked = len(stack.mux.calls)
        looks = pool.submit(instructor.get, "/api/mux/check-upload-status", lesson_id=lesson_id)
        stack.until(lambda: [one for one in stack.mux.calls[asked:] if one[2] == "high"])
        began = time.monotonic()
        instructor.patch(f"/api/lessons/{lesson_id}", {"title": "Changed meanwhile"}).expect(200)
        took, still_waits = time.monotonic() - began, not looks.done()
        stack.mux.calm()
        looks.result().expect(200)
    assert still_waits, "Mux had answered already"
    assert took < 8
    lesson = instructor.seen(lesson_id)
    assert (lesson["title"], lesson["status"]) == ("Changed meanwhile", "published")


def test_while_mux_hangs_pages_health_checks_and_webhooks_find_a_thread(
    stack: Stack, instructor: Caller
) -> None:
    """Sixteen questions that hang, for the eight threads of both processes."""
    lesson_id = str(instructor.lesson()["id"])
    student = stack.browser("student")
    stack.mux.hanging = True
    named = [{"lesson_id": lesson_id, "upload_id": uuid.uuid4().hex} for _ in range(16)]
    with ThreadPoolExecutor(len(named)) as pool:
        asked = len(stack.mux.calls)
        asking = [pool.submit(instructor.post, "/api/mux/track-upload", one) for one in named]
        stack.until(lambda: [one for one in stack.mux.calls[asked:] if one[2] == "high"])
        time.sleep(1)  # by now it is known that Mux is slow
        began = time.monotonic()
        student.get("/healthz").expect(200)
        student.get("/account").expect(200)
        Hook(stack.url, SECRET).event("video.asset.ready", {"id": "nobody"}).expect(204)
        took = time.monotonic() - began
        stack.mux.calm()
        statuses = [one.result().status for one in asking]
    assert took < 4
    assert statuses.count(503) >= 16 - 2 * 3, "no more than three calls at once in a process"


@pytest.fixture(scope="module")
def mailing(stack: Stack) -> Iterator[Doc]:
    """A web and a clock that send mail, and the port at which no mail server listens yet."""
    port = ports.any_free()
    url = f"smtp://127.0.0.1:{port}"
    web = stack.web("mailing web", MAIL_URL=url)
    clock = stack.process(procfile.read(ROOT / "Procfile")["clock"], "mailing clock", MAIL_URL=url)
    yield {"web": web, "port": port}
    clock.terminate()
    clock.wait(15)


def test_a_mail_server_that_was_away_loses_no_notice(stack: Stack, mailing: Doc) -> None:
    """A notice of what this web process did itself: a webhook may be applied by one that sends no mail."""
    email = f"told-by-mail-{uuid.uuid4().hex[:8]}@school.example"
    stack.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD)
    user_id = stack.one("SELECT id FROM users WHERE email = %s", email)["id"]
    browser, new = Browser(mailing["web"]), "another long password"
    browser.sign_in(email, PASSWORD)
    form = [("old_password", PASSWORD), ("new_password", new), ("repeat_password", new)]
    browser.post("/account/password", form).expect(302)
    row = "SELECT mail_error, mailed_at FROM notifications WHERE user_id = %s"
    stack.until(lambda: stack.one(row, user_id)["mail_error"], seconds=30)
    with postbox.running(mailing["port"]) as box:
        stack.sql("UPDATE notifications SET mail_due_at = %s WHERE user_id = %s", OLD, user_id)
        stack.until(lambda: stack.one(row, user_id)["mailed_at"], seconds=30)
        told = [one for one in box.received if "password was changed" in one.raw.decode("utf-8", "replace")]
    assert [one.to for one in told] == [[email]]


def test_old_rows_go_and_young_ones_stay(stack: Stack, instructor: Caller) -> None:
    ages = {"old": "400 days", "young": "300 days"}
    for message, age in ages.items():
        stack.sql(
            "INSERT INTO notifications (user_id, kind, message, created_at, mail_wanted)"
            " VALUES (%s, 'needs_attention', %s, now() - %s::interval, false)",
            instructor.id, message, age,
        )  # fmt: skip
    sweep(stack)
    kept = stack.sql("SELECT message FROM notifications WHERE message IN ('old', 'young')")
    assert [row["message"] for row in kept] == ["young"]


def test_limits_outlive_an_emptied_redis(stack: Stack, instructor: Caller) -> None:
    stack.sql("DELETE FROM sign_in_failures")  # of other tests: they came from the same address
    try:
        for _ in range(10):
            Browser(stack.url).sign_in(instructor.email, "wrong").expect(400)
        with redis.Redis.from_url(stack.settings["REDIS_URL"]) as connection:
            connection.flushall()
        refused = Browser(stack.url).sign_in(instructor.email, PASSWORD).expect(429)
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        stack.sql("DELETE FROM sign_in_failures")
    assert Browser(stack.url).sign_in(instructor.email, PASSWORD).status in (302, 303)


def test_background_work_stays_below_the_budget_and_a_batch_can_be_stopped(stack: Stack) -> None:
    gone = [stack.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", video_processing_status="processing") for _ in range(60)]  # fmt: skip
    support = stack.browser("support")
    began, before = time.monotonic(), len(stack.mux.calls)
    form = [("action", "recheck"), *(("rowid", one) for one in gone)]
    batch_id = support.post("/admin/lesson/action/", form).headers["Location"].rpartition("id=")[2]
    counted = "SELECT done + failed + skipped AS n, status FROM batches WHERE id = %s"
    stack.until(lambda: stack.one(counted, batch_id)["n"] >= 5, seconds=30)
    time.sleep(3)
    asked = [one for one in stack.mux.calls[before:] if one[2] == "low"]
    assert len(asked) <= 20 + time.monotonic() - began + 1
    support.post("/admin/batch/stop", [("id", batch_id)])
    stack.until(lambda: stack.one(counted, batch_id)["status"] == "stopped")


def test_a_command_that_asks_for_hours_keeps_no_deletion_waiting(stack: Stack, instructor: Caller) -> None:
    """A deletion needs two calls at once, and `fix-lessons` waits for each single one."""
    _, asset = ready_lesson(stack, instructor)
    for _ in range(60):
        old = stack.mux.asset("ready")["id"]
        stack.lesson_row(mux_asset_id=old, mux_playback_id="temp_1", video_processing_status="ready")
    before = len(stack.mux.calls)
    asking = stack.process("flask --app app fix-lessons --dry-run --delay 0", "fix-lessons")
    try:
        stack.until(lambda: len(stack.mux.calls) > before + 25, seconds=60)  # then the bucket is empty
        instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
        stack.until(lambda: asset["id"] not in stack.mux.assets)
        assert asking.poll() is None
    finally:
        asking.terminate()
        asking.wait(15)
        stack.without_lessons()


def test_so_much_missing_that_the_token_is_doubted(stack: Stack) -> None:
    stack.without_lessons()
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "status": "published"}
    for _ in range(21):
        stack.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", publish_on_ready=False, **plays)
    reconciled = stack.flask("reconcile")
    assert reconciled.returncode != 0
    assert "another Mux environment" in reconciled.stderr
    published = stack.sql("SELECT 1 FROM lessons WHERE status = 'published' AND mux_asset_id IS NOT NULL")
    assert len(published) == 21


def test_a_read_of_mux_that_comes_to_no_end_changes_nothing(stack: Stack) -> None:
    stack.without_lessons()
    lesson_id = stack.lesson_row(
        mux_asset_id=f"A{uuid.uuid4().hex}", mux_playback_id="P", video_processing_status="ready", status="published"
    )  # fmt: skip
    stack.mux.token_refused = True
    reconciled = stack.flask("reconcile")
    assert reconciled.returncode != 0
    assert "nothing was changed" in reconciled.stderr
    assert "Traceback" not in reconciled.stderr
    assert stack.lesson(lesson_id)["status"] == "published"


def test_an_alarm_is_told_once_and_once_more_when_it_is_over(stack: Stack, instructor: Caller) -> None:
    told = "SELECT message FROM notifications WHERE message LIKE '%%signature%%' AND user_id = %s ORDER BY created_at"
    support, gauge = stack.who("support"), 'lessonadmin_alarm{kind="signatures"}'

    def shown() -> tuple[bool, bool, bool]:
        metrics = stack.who("support").get("/metrics").expect(200).text
        panel = stack.browser("support").get("/admin/").text
        return (
            f"{gauge} 1.0" in metrics,
            "refused for their signature" in panel,
            bool(stack.sql(told, instructor.id)),
        )

    stack.sql("DELETE FROM hourly_figures WHERE figure = 'rejected'")  # what other checks had refused is over
    sweep(stack)
    stack.sql("DELETE FROM notifications")
    for _ in range(30):
        stack.hook.raw(b"{}", "t=1,v1=0").expect(401)
    time.sleep(5)  # a flood is counted every few seconds, by each of the web's processes
    for _ in range(8):
        stack.hook.raw(b"{}", "t=1,v1=0").expect(401)
    for _ in range(2):
        sweep(stack)
    assert shown() == (True, True, False)
    assert len(stack.sql(told, support.id)) == 1
    stack.sql("DELETE FROM hourly_figures WHERE figure = 'rejected'")
    sweep(stack)
    assert shown() == (False, False, False)
    assert len(stack.sql(told, support.id)) == 2


def test_every_night_what_is_safe_is_mended_and_nothing_is_deleted(stack: Stack, instructor: Caller) -> None:
    stack.without_lessons()
    stack.sql("DELETE FROM reconcile_runs")
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "status": "published"}
    missing = stack.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", publish_on_ready=False, **plays)
    begun = instructor.lesson()["id"]
    stack.insert(
        "mux_asset_tracking", lesson_id=begun, upload_id=f"U{uuid.uuid4().hex}", status="cancelled", created_at=OLD
    )  # fmt: skip
    ours = f'{{"lesson_id": "{begun}"}}'
    orphan = stack.mux.asset("ready", passthrough=ours, created_at="1700000000")
    sweep(stack)  # the clock does it by itself ten minutes after its start; a worker walks
    stack.until(lambda: stack.lesson(missing)["mux_asset_id"] is None, seconds=40)
    assert stack.lesson(missing)["status"] == "draft"
    stack.until(lambda: stack.sql("SELECT 1 FROM reconcile_runs WHERE finished_at IS NOT NULL"), seconds=40)
    assert orphan["id"] in stack.mux.assets


def test_so_many_gone_at_once_are_not_believed(stack: Stack, instructor: Caller) -> None:
    """As with a token of another environment: Mux has called a dozen videos gone within the hour, and not one is found."""
    stack.sql("DELETE FROM mux_calls")
    for _ in range(12):
        stack.insert("mux_calls", operation="get_asset", outcome="gone", target_type="lesson", target_id=str(uuid.uuid4()))  # fmt: skip
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"])
    stack.hook.asset("created", asset).expect(204)
    del stack.mux.assets[asset["id"]]
    due(stack, lesson_id)
    # a worker that is busy with something long leaves it to the clock, a minute later
    stack.until(lambda: stack.mux.asked("GET", f"/video/v1/assets/{asset['id']}"), seconds=80)
    stack.until(lambda: stack.tracking(lesson_id)[0]["attempts"] > 0)
    assert instructor.seen(lesson_id)["video"]["status"] == "processing"
    sweep(stack)
    standing = stack.sql("SELECT 1 FROM alarms WHERE kind = 'wrong_environment' AND ended_at IS NULL")
    stack.sql("DELETE FROM mux_calls")
    assert len(standing) == 1
    # who asks by hand is answered
    said = instructor.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200).json
    assert (said["status"], said["asset_id"]) == ("error", None)


def test_an_undo_leaves_alone_what_was_changed_since(stack: Stack, instructor: Caller) -> None:
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [stack.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", status="published", **plays) for _ in range(21)]  # fmt: skip
    support = stack.browser("support")
    form = [("action", "unpublish"), *(("rowid", one) for one in lessons)]
    batch_id = support.post("/admin/lesson/action/", form).headers["Location"].rpartition("id=")[2]
    ended = "SELECT done FROM batches WHERE id = %s AND status = 'done'"
    stack.until(lambda: stack.sql(ended, batch_id), seconds=30)
    for status in ("published", "draft"):
        instructor.patch(f"/api/lessons/{lessons[0]}", {"status": status}).expect(200)
    instructor.patch(f"/api/lessons/{lessons[1]}", {"title": "A new title is no reason"}).expect(200)
    support.post("/admin/batch/undo", [("id", batch_id)])
    undone = "SELECT done FROM batches WHERE undoes_id = %s AND status = 'done'"
    stack.until(lambda: stack.sql(undone, batch_id), seconds=30)
    assert stack.one(undone, batch_id)["done"] == 20
    assert [stack.lesson(one)["status"] for one in lessons] == ["draft", *["published"] * 20]
