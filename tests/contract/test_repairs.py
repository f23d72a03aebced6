"""What goes on by itself after something went wrong, and what is left alone: nobody presses anything here."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from devstack import ports, procfile
from devstack.places import ROOT
from tests import postbox
from tests.contract.callers import Browser, Caller, Doc, Hook
from tests.contract.house import PASSWORD, SECRET, House
from tests.contract.test_lessons import ready_lesson

OLD = "2020-01-01"


def lost(house: House, teacher: Caller) -> str:
    """A lesson whose video is ready at Mux, due for a look, and no webhook said so."""
    lesson_id = str(teacher.lesson()["id"])
    house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"], "ready")
    return lesson_id


def due(house: House, *lessons: str) -> None:
    house.sql(
        "UPDATE mux_asset_tracking SET next_check_at = %s WHERE lesson_id = ANY(%s::uuid[])",
        OLD,
        list(lessons),
    )


def sweep(house: House) -> None:
    """A whole pass by hand."""
    done = house.flask("sweep")
    assert done.returncode == 0, done.stderr


def test_two_clocks_and_a_sweep_by_hand_do_everything_once(house: House, teacher: Caller) -> None:
    lessons = [lost(house, teacher) for _ in range(6)]
    second = house.process(procfile.read(ROOT / "Procfile")["clock"], "second clock")
    beats = (
        "SELECT 1 FROM heartbeats WHERE name LIKE 'clock%%' AND name || coalesce(detail->>'pid', '') LIKE %s"
    )
    house.until(lambda: house.sql(beats, f"%{second.pid}"), seconds=30)
    due(house, *lessons)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: house.flask("sweep"), range(2)))
    assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]
    house.until(lambda: all(house.lesson(one)["status"] == "published" for one in lessons))
    second.terminate()
    second.wait(15)
    assert [house.actions(one).count("lesson.published") for one in lessons] == [1] * 6
    assert [house.notices(one) for one in lessons] == [["lesson_published"]] * 6


def test_an_event_before_its_lesson_is_applied_when_the_lesson_comes(house: House, teacher: Caller) -> None:
    lesson_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    asset = house.mux.asset("ready", passthrough=f'{{"lesson_id": "{lesson_id}"}}')
    house.hook.asset("ready", asset, id=event_id).expect(204)
    house.lesson_row(id=lesson_id)
    house.sql("UPDATE mux_events SET next_attempt_at = now() WHERE mux_event_id = %s", event_id)
    house.until(lambda: teacher.seen(lesson_id)["status"] == "published")


def test_a_creation_whose_answer_was_lost_is_never_repeated(house: House, teacher: Caller) -> None:
    lesson_id = teacher.lesson()["id"]
    before, bodies = len(house.mux.uploads), len(house.mux.bodies)
    house.mux.answers_lost = True
    refused = teacher.post("/api/mux/upload-url", {"lesson_id": lesson_id, "filename": "a.mp4"}).expect(503)
    assert refused.error == "mux_unavailable"
    house.mux.calm()
    time.sleep(2.5)  # two sweeps
    assert (len(house.mux.uploads) - before, len(house.mux.bodies) - bodies) == (1, 1)
    assert teacher.seen(lesson_id)["video"]["status"] == "none"
    teacher.upload(lesson_id=lesson_id)
    assert teacher.seen(lesson_id)["video"]["status"] == "uploading"


def test_a_deletion_that_mux_could_not_do_is_tried_again(house: House, teacher: Caller) -> None:
    lesson_id, asset = ready_lesson(house, teacher)
    house.mux.keeps.add(asset["id"])
    teacher.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    row = "SELECT done_at, last_error FROM asset_deletions WHERE mux_asset_id = %s"
    house.until(lambda: house.one(row, asset["id"])["last_error"])
    assert asset["id"] in house.mux.assets
    house.mux.calm()
    house.sql(
        "UPDATE asset_deletions SET due_at = %s WHERE mux_asset_id = %s AND done_at IS NULL", OLD, asset["id"]
    )
    house.until(lambda: house.one(row, asset["id"])["done_at"])
    assert asset["id"] not in house.mux.assets
    assert teacher.seen(lesson_id)["video"]["status"] == "none"


def test_what_plays_is_not_deleted_whatever_a_row_says(house: House, teacher: Caller) -> None:
    lesson_id, asset = ready_lesson(house, teacher)
    row_id = house.insert("asset_deletions", mux_asset_id=asset["id"], reason="by mistake")
    house.until(
        lambda: not house.sql("SELECT 1 FROM asset_deletions WHERE id = %s AND done_at IS NULL", row_id),
        seconds=60,
    )
    assert asset["id"] in house.mux.assets
    assert house.mux.asked("DELETE", f"/video/v1/assets/{asset['id']}") == 0
    assert teacher.seen(lesson_id)["status"] == "published"


def test_while_mux_hangs_nobody_waits_for_a_lock(house: House, teacher: Caller) -> None:
    lesson_id = lost(house, teacher)
    house.mux.hanging = True
    with ThreadPoolExecutor(1) as pool:
        asked = len(house.mux.calls)
        looks = pool.submit(teacher.get, "/api/mux/check-upload-status", lesson_id=lesson_id)
        house.until(lambda: [one for one in house.mux.calls[asked:] if one[2] == "high"])
        began = time.monotonic()
        teacher.patch(f"/api/lessons/{lesson_id}", {"title": "Changed meanwhile"}).expect(200)
        took, still_waits = time.monotonic() - began, not looks.done()
        house.mux.calm()
        looks.result().expect(200)
    assert still_waits, "Mux had answered already"
    assert took < 8
    lesson = teacher.seen(lesson_id)
    assert (lesson["title"], lesson["status"]) == ("Changed meanwhile", "published")


def test_while_mux_hangs_pages_health_checks_and_webhooks_find_a_thread(
    house: House, teacher: Caller
) -> None:
    """Sixteen questions that hang, for the eight threads of both processes."""
    lesson_id = str(teacher.lesson()["id"])
    student = house.browser("student")
    house.mux.hanging = True
    named = [{"lesson_id": lesson_id, "upload_id": uuid.uuid4().hex} for _ in range(16)]
    with ThreadPoolExecutor(len(named)) as pool:
        asked = len(house.mux.calls)
        asking = [pool.submit(teacher.post, "/api/mux/track-upload", one) for one in named]
        house.until(lambda: [one for one in house.mux.calls[asked:] if one[2] == "high"])
        time.sleep(1)  # by now it is known that Mux is slow
        began = time.monotonic()
        student.get("/healthz").expect(200)
        student.get("/account").expect(200)
        Hook(house.url, SECRET).event("video.asset.ready", {"id": "nobody"}).expect(204)
        took = time.monotonic() - began
        house.mux.calm()
        statuses = [one.result().status for one in asking]
    assert took < 4
    assert statuses.count(503) >= 16 - 2 * 3, "no more than three calls at once in a process"


@pytest.fixture(scope="module")
def mailing(house: House) -> Iterator[Doc]:
    """A web and a clock that send mail, and the port at which no mail server listens yet."""
    port = ports.any_free()
    url = f"smtp://127.0.0.1:{port}"
    web = house.web("mailing web", MAIL_URL=url)
    clock = house.process(procfile.read(ROOT / "Procfile")["clock"], "mailing clock", MAIL_URL=url)
    yield {"web": web, "port": port}
    clock.terminate()
    clock.wait(15)


def test_a_mail_server_that_was_away_loses_no_notice(house: House, teacher: Caller, mailing: Doc) -> None:
    lesson_id = teacher.lesson(title="Told by mail")["id"]
    asset = house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"], "ready")
    Hook(mailing["web"], SECRET).asset("ready", asset).expect(204)
    row = "SELECT mail_error, mailed_at FROM notifications WHERE lesson_id = %s"
    house.until(lambda: house.one(row, lesson_id)["mail_error"], seconds=30)
    with postbox.running(mailing["port"]) as box:
        house.sql("UPDATE notifications SET mail_due_at = %s WHERE lesson_id = %s", OLD, lesson_id)
        house.until(lambda: house.one(row, lesson_id)["mailed_at"], seconds=30)
        told = [one for one in box.received if "Told by mail" in one.raw.decode("utf-8", "replace")]
    assert [one.to for one in told] == [[teacher.email]]


def test_old_rows_go_and_young_ones_stay(house: House, teacher: Caller) -> None:
    ages = {"old": "400 days", "young": "300 days"}
    for message, age in ages.items():
        house.sql(
            "INSERT INTO notifications (user_id, kind, message, created_at, mail_wanted)"
            " VALUES (%s, 'needs_attention', %s, now() - %s::interval, false)",
            teacher.id, message, age,
        )  # fmt: skip
    sweep(house)
    kept = house.sql("SELECT message FROM notifications WHERE message IN ('old', 'young')")
    assert [row["message"] for row in kept] == ["young"]


def test_limits_outlive_an_emptied_redis(house: House, teacher: Caller) -> None:
    house.sql("DELETE FROM sign_in_failures")  # of other tests: they came from the same address
    try:
        for _ in range(10):
            Browser(house.url).sign_in(teacher.email, "wrong").expect(400)
        with redis.Redis.from_url(house.settings["REDIS_URL"]) as connection:
            connection.flushall()
        refused = Browser(house.url).sign_in(teacher.email, PASSWORD).expect(429)
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        house.sql("DELETE FROM sign_in_failures")
    assert Browser(house.url).sign_in(teacher.email, PASSWORD).status in (302, 303)


def test_background_work_stays_below_the_budget_and_a_batch_can_be_stopped(house: House) -> None:
    gone = [house.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", video_processing_status="processing") for _ in range(60)]  # fmt: skip
    desk = house.browser("support")
    began, before = time.monotonic(), len(house.mux.calls)
    form = [("action", "recheck"), *(("rowid", one) for one in gone)]
    batch_id = desk.post("/admin/lesson/action/", form).headers["Location"].rpartition("id=")[2]
    counted = "SELECT done + failed + skipped AS n, status FROM batches WHERE id = %s"
    house.until(lambda: house.one(counted, batch_id)["n"] >= 5, seconds=30)
    time.sleep(3)
    asked = [one for one in house.mux.calls[before:] if one[2] == "low"]
    assert len(asked) <= 20 + time.monotonic() - began + 1
    desk.post("/admin/batch/stop", [("id", batch_id)])
    house.until(lambda: house.one(counted, batch_id)["status"] == "stopped")


def test_a_command_that_asks_for_hours_keeps_no_deletion_waiting(house: House, teacher: Caller) -> None:
    """A deletion needs two calls at once, and `fix-lessons` waits for each single one."""
    _, asset = ready_lesson(house, teacher)
    for _ in range(60):
        old = house.mux.asset("ready")["id"]
        house.lesson_row(mux_asset_id=old, mux_playback_id="temp_1", video_processing_status="ready")
    before = len(house.mux.calls)
    asking = house.process("flask --app app fix-lessons --dry-run --delay 0", "fix-lessons")
    try:
        house.until(lambda: len(house.mux.calls) > before + 25, seconds=60)  # then the bucket is empty
        teacher.delete(f"/api/mux/assets/{asset['id']}").expect(202)
        house.until(lambda: asset["id"] not in house.mux.assets)
        assert asking.poll() is None
    finally:
        asking.terminate()
        asking.wait(15)
        house.without_lessons()


def test_so_much_missing_that_the_token_is_doubted(house: House) -> None:
    house.without_lessons()
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "status": "published"}
    for _ in range(21):
        house.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", publish_on_ready=False, **plays)
    walked = house.flask("reconcile")
    assert walked.returncode != 0
    assert "another Mux environment" in walked.stderr
    published = house.sql("SELECT 1 FROM lessons WHERE status = 'published' AND mux_asset_id IS NOT NULL")
    assert len(published) == 21


def test_a_walk_that_comes_to_no_end_changes_nothing(house: House) -> None:
    house.without_lessons()
    lesson_id = house.lesson_row(
        mux_asset_id=f"A{uuid.uuid4().hex}", mux_playback_id="P", video_processing_status="ready", status="published"
    )  # fmt: skip
    house.mux.token_refused = True
    walked = house.flask("reconcile")
    assert walked.returncode != 0
    assert "nothing was changed" in walked.stderr
    assert "Traceback" not in walked.stderr
    assert house.lesson(lesson_id)["status"] == "published"


def test_an_alarm_is_told_once_and_once_more_when_it_is_over(house: House, teacher: Caller) -> None:
    told = "SELECT message FROM notifications WHERE message LIKE '%%signature%%' AND user_id = %s ORDER BY created_at"
    support, gauge = house.who("support"), 'lessonadmin_alarm{kind="signatures"}'

    def shown() -> tuple[bool, bool, bool]:
        metrics = house.who("support").get("/metrics").expect(200).text
        panel = house.browser("support").get("/admin/").text
        return (
            f"{gauge} 1.0" in metrics,
            "refused for their signature" in panel,
            bool(house.sql(told, teacher.id)),
        )

    house.sql("DELETE FROM hourly_figures WHERE figure = 'rejected'")  # what other checks had refused is over
    sweep(house)
    house.sql("DELETE FROM notifications")
    for _ in range(30):
        house.hook.raw(b"{}", "t=1,v1=0").expect(401)
    time.sleep(5)  # a flood is counted every few seconds, by each of the web's processes
    for _ in range(8):
        house.hook.raw(b"{}", "t=1,v1=0").expect(401)
    for _ in range(2):
        sweep(house)
    assert shown() == (True, True, False)
    assert len(house.sql(told, support.id)) == 1
    house.sql("DELETE FROM hourly_figures WHERE figure = 'rejected'")
    sweep(house)
    assert shown() == (False, False, False)
    assert len(house.sql(told, support.id)) == 2


def test_every_night_what_is_safe_is_mended_and_nothing_is_deleted(house: House, teacher: Caller) -> None:
    house.without_lessons()
    house.sql("DELETE FROM reconcile_runs")
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "status": "published"}
    missing = house.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", publish_on_ready=False, **plays)
    begun = teacher.lesson()["id"]
    house.insert(
        "mux_asset_tracking", lesson_id=begun, upload_id=f"U{uuid.uuid4().hex}", status="cancelled", created_at=OLD
    )  # fmt: skip
    ours = f'{{"lesson_id": "{begun}"}}'
    orphan = house.mux.asset("ready", passthrough=ours, created_at="1700000000")
    sweep(house)  # the clock does it by itself ten minutes after its start; a worker walks
    house.until(lambda: house.lesson(missing)["mux_asset_id"] is None, seconds=40)
    assert house.lesson(missing)["status"] == "draft"
    house.until(lambda: house.sql("SELECT 1 FROM reconcile_runs WHERE finished_at IS NOT NULL"), seconds=40)
    assert orphan["id"] in house.mux.assets


def test_so_many_gone_at_once_are_not_believed(house: House, teacher: Caller) -> None:
    """As with a token of another environment: Mux has called a dozen videos gone within the hour, and not one is found."""
    house.sql("DELETE FROM mux_calls")
    for _ in range(12):
        house.insert("mux_calls", operation="get_asset", outcome="gone", target_type="lesson", target_id=str(uuid.uuid4()))  # fmt: skip
    lesson_id = teacher.lesson()["id"]
    asset = house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"])
    house.hook.asset("created", asset).expect(204)
    del house.mux.assets[asset["id"]]
    due(house, lesson_id)
    # a worker that is busy with something long leaves it to the clock, a minute later
    house.until(lambda: house.mux.asked("GET", f"/video/v1/assets/{asset['id']}"), seconds=80)
    house.until(lambda: house.tracking(lesson_id)[0]["attempts"] > 0)
    assert teacher.seen(lesson_id)["video"]["status"] == "processing"
    sweep(house)
    standing = house.sql("SELECT 1 FROM alarms WHERE kind = 'wrong_environment' AND ended_at IS NULL")
    house.sql("DELETE FROM mux_calls")
    assert len(standing) == 1
    # who asks by hand is answered
    said = teacher.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200).json
    assert (said["status"], said["asset_id"]) == ("error", None)


def test_an_undo_leaves_alone_what_was_changed_since(house: House, teacher: Caller) -> None:
    plays = {"mux_playback_id": "P", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [house.lesson_row(mux_asset_id=f"A{uuid.uuid4().hex}", status="published", **plays) for _ in range(21)]  # fmt: skip
    desk = house.browser("support")
    form = [("action", "unpublish"), *(("rowid", one) for one in lessons)]
    batch_id = desk.post("/admin/lesson/action/", form).headers["Location"].rpartition("id=")[2]
    ended = "SELECT done FROM batches WHERE id = %s AND status = 'done'"
    house.until(lambda: house.sql(ended, batch_id), seconds=30)
    for status in ("published", "draft"):
        teacher.patch(f"/api/lessons/{lessons[0]}", {"status": status}).expect(200)
    teacher.patch(f"/api/lessons/{lessons[1]}", {"title": "A new title is no reason"}).expect(200)
    desk.post("/admin/batch/undo", [("id", batch_id)])
    undone = "SELECT done FROM batches WHERE undoes_id = %s AND status = 'done'"
    house.until(lambda: house.sql(undone, batch_id), seconds=30)
    assert house.one(undone, batch_id)["done"] == 20
    assert [house.lesson(one)["status"] for one in lessons] == ["draft", *["published"] * 20]
