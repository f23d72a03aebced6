"""The flows of the product in real processes: as they should go, and with each part of the stack lost on the way."""

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import redis
from rq import Queue

from tests.contract.callers import Browser
from tests.flows.instructor import Instructor
from tests.flows.processes import Stack, request, wait_for
from tests.flows.support import Support
from tests.signing import signature

pytestmark = pytest.mark.timeout(110)

SECRET = "a good long password"


def calls(stack: Stack, since: int) -> list[str]:
    return [one["method"] for one in stack.mux.calls(since, target="api")]


def struck(stack: Stack, fault_id: str) -> bool:
    """Has a call run into this fault? A call that hangs is in no list yet."""
    return any(one["id"] == fault_id and one["struck"] for one in stack.mux.state()["faults"])


def last_call(stack: Stack) -> int:
    found = stack.mux.calls()
    return int(found[-1]["seq"]) if found else 0


def test_every_webhook_lost(stack: Stack, instructor: Instructor) -> None:
    stack.mux.fault("webhook", "drop")
    lessons = [instructor.lesson(f"Lost {n}") for n in range(6)]
    for lesson in lessons:
        stack.mux.complete_upload(instructor.upload(lesson))
    for lesson in lessons:
        instructor.waits_for_publication(lesson, seconds=20)
    assert [instructor.published_how_often(lesson) for lesson in lessons] == [1] * 6


def test_every_webhook_doubled_and_shuffled(stack: Stack, instructor: Instructor) -> None:
    stack.mux.fault("webhook", "shuffle", share=0.5, window=6, max_wait=1.0)
    stack.mux.fault("webhook", "duplicate", copies=2)
    lessons = [instructor.lesson(f"Mixed {n}") for n in range(6)]
    for lesson in lessons:
        stack.mux.complete_upload(instructor.upload(lesson))
    for lesson in lessons:
        instructor.waits_for_publication(lesson, seconds=15)
    stack.mux.flush_events(20)
    assert [instructor.published_how_often(lesson) for lesson in lessons] == [1] * 6
    twice = stack.database.rows("SELECT mux_event_id FROM mux_events GROUP BY 1 HAVING count(*) > 1")
    notices = stack.database.rows(
        "SELECT 1 FROM notifications WHERE tracking_id IS NOT NULL"  # what staff or an account are told names no upload
        " GROUP BY tracking_id, kind HAVING count(*) > 1"
    )
    assert (twice, notices) == ([], [])


def test_everything_is_closed_mid_way_and_started_again(stack: Stack, instructor: Instructor) -> None:
    stack.mux.hold_processing()
    processing, uploading = instructor.lesson("Processing"), instructor.lesson("Uploading")
    stack.mux.complete_upload(instructor.upload(processing))
    waiting = instructor.upload(uploading)
    wait_for(lambda: instructor.sees(processing)["video"]["status"] == "processing", seconds=10)
    stack.stop("web", "worker", "clock")
    stack.kill_redis()
    stack.database.stop()
    # Mux goes on meanwhile, and what it says reaches no process
    stack.mux.fault("webhook", "drop")
    stack.mux.hold_processing(False)
    stack.mux.complete_upload(waiting)
    stack.mux.flush_events()
    stack.stop_mux()
    stack.begin()
    for lesson in (processing, uploading):
        instructor.waits_for_publication(lesson, seconds=20)
        assert instructor.published_how_often(lesson) == 1


def test_the_worker_is_killed_in_mid_job(stack: Stack, instructor: Instructor) -> None:
    """It hangs at Mux, asked to settle two events that disagree, when kill -9 comes."""
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    asset_id = instructor.waits_for_publication(lesson, seconds=10)["video"]["asset_id"]
    stack.stop("clock")  # so that only the worker looks
    hang = stack.mux.fault("api", "hang", match={"method": "GET"}, seconds=60)
    stack.mux.send_event("video.asset.errored", asset_id=asset_id)
    wait_for(lambda: struck(stack, hang), seconds=20, what="the worker's look")
    stack.kill("worker")
    row = "SELECT next_check_at IS NOT NULL, last_look_at IS NULL FROM mux_asset_tracking WHERE mux_asset_id = %s"
    assert stack.database.rows(row, asset_id) == [(True, True)]
    stack.mux.remove_fault(hang)
    stack.start("worker", "clock")
    wait_for(
        lambda: stack.database.rows(row, asset_id) == [(False, False)], seconds=25, what="the second look"
    )
    assert instructor.is_published(lesson)
    assert instructor.published_how_often(lesson) == 1


def test_the_clock_is_killed_in_mid_sweep(stack: Stack, instructor: Instructor) -> None:
    stack.kill("worker")  # so that the clock looks itself
    stack.mux.fault("webhook", "drop")
    hang = stack.mux.fault("api", "hang", match={"method": "GET"}, seconds=60)
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    wait_for(lambda: struck(stack, hang), seconds=20, what="the sweep's look")
    stack.kill("clock")
    stack.mux.remove_fault(hang)
    stack.start("worker", "clock")
    instructor.waits_for_publication(lesson, seconds=60)


def test_by_night_the_minutes_watched_arrive_also_after_a_kill(stack: Stack, instructor: Instructor) -> None:
    """The clock asks a worker, who is killed at the first page; the next clock and worker go on."""
    lesson = instructor.lesson()
    asset_id = stack.mux.complete_upload(instructor.upload(lesson))["id"]
    instructor.waits_for_publication(lesson, seconds=10)
    stack.stop("clock")
    database = stack.database
    database.rows(
        "UPDATE mux_asset_tracking SET created_at = created_at - interval '3 days' WHERE lesson_id = %s",
        lesson,
    )
    database.rows("DELETE FROM counted_days")
    day = (datetime.now(UTC) - timedelta(hours=12)).date() - timedelta(days=1)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    stack.mux.played(asset_id, 600, at=noon)
    hang = stack.mux.fault("api", "hang", match={"operation": "list_delivery_usage"}, seconds=60)
    stack.start("clock")
    wait_for(lambda: struck(stack, hang), seconds=20, what="the worker's question")
    watched = "SELECT day, seconds FROM lesson_views WHERE lesson_id = %s"
    stack.kill("worker")
    assert database.rows(watched, lesson) == []
    stack.stop("clock")
    stack.mux.remove_fault(hang)
    stack.start("worker", "clock")
    wait_for(lambda: database.rows(watched, lesson), seconds=25, what="the minutes")
    assert database.rows(watched, lesson) == [(day, 600.0)]
    assert (
        database.one("SELECT count(*) FROM counted_days WHERE counted_at IS NOT NULL AND day = %s", day) == 1
    )


def test_redis_is_wiped_with_work_pending(stack: Stack, instructor: Instructor) -> None:
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    asset_id = instructor.waits_for_publication(lesson, seconds=10)["video"]["asset_id"]
    stack.stop("worker", "clock")
    status, said = instructor.ask("DELETE", f"/api/mux/assets/{asset_id}")
    assert (status, said["status"]) == (202, "deleting")
    with redis.Redis.from_url(stack.redis.url()) as connection:
        assert connection.llen("rq:queue:default") >= 1
        connection.flushall()
    stack.start("worker", "clock")
    wait_for(lambda: instructor.sees(lesson)["video"]["status"] == "none", seconds=20, what="the deletion")
    assert asset_id not in [one["id"] for one in stack.mux.assets()]


@pytest.mark.parametrize("end", ["ready", "errored"])
def test_a_deletion_that_mux_refused_goes_on_when_the_video_is_finished(
    stack: Stack, instructor: Instructor, end: str
) -> None:
    """Mux deletes no asset that it still works on. Nothing but the event and the worker is there to try again."""
    stack.mux.hold_processing()
    lesson = instructor.lesson("Thought better of it")
    stack.mux.complete_upload(instructor.upload(lesson))
    wait_for(lambda: instructor.sees(lesson)["video"]["status"] == "processing", seconds=10)
    stack.stop("clock")
    asset = instructor.sees(lesson)["video"]["asset_id"]
    assert instructor.ask("DELETE", f"/api/mux/assets/{asset}")[0] == 202
    waits = "SELECT 1 FROM asset_deletions WHERE mux_asset_id = %s AND last_error LIKE '%%cannot delete this asset yet%%'"
    wait_for(lambda: stack.database.rows(waits, asset), seconds=20, what="Mux's refusal")
    (stack.mux.set_asset_ready if end == "ready" else stack.mux.error_asset)(asset)
    wait_for(lambda: instructor.sees(lesson)["video"]["status"] == "none", seconds=20, what="the deletion")
    assert asset not in [one["id"] for one in stack.mux.assets()]


def test_redis_goes_away_and_comes_back(stack: Stack, instructor: Instructor) -> None:
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    asset_id = instructor.waits_for_publication(lesson, seconds=10)["video"]["asset_id"]
    worker = stack.processes["worker"].pid
    stack.kill_redis()
    # pages and webhooks go on
    other = instructor.lesson("Without Redis")
    stack.mux.complete_upload(instructor.upload(other))
    instructor.waits_for_publication(other, seconds=10)
    assert instructor.ask("DELETE", f"/api/mux/assets/{asset_id}")[0] == 202
    unready = request("GET", f"{stack.url}/readyz")
    assert (unready.status, unready.body["checks"]["redis"]) == (503, False)
    # the clock needs no Redis for its work
    wait_for(lambda: instructor.sees(lesson)["video"]["status"] == "none", seconds=20, what="the deletion")
    stack.start_redis()
    wait_for(stack.is_ready, seconds=30, what="readiness")
    # and the worker, never restarted by hand, takes jobs again
    asset_id = instructor.sees(other)["video"]["asset_id"]
    stack.stop("clock")
    before = last_call(stack)
    stack.mux.send_event("video.asset.errored", asset_id=asset_id)
    wait_for(lambda: calls(stack, before) == ["GET"], seconds=30, what="the worker's look")
    assert stack.processes["worker"].pid == worker
    assert stack.processes["worker"].poll() is None


def test_a_strange_job_in_redis_runs_no_code(stack: Stack, instructor: Instructor) -> None:
    """Plain JSON that names another function, and a pickle; the worker goes on with what is its own."""
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    asset_id = instructor.waits_for_publication(lesson, seconds=10)["video"]["asset_id"]
    worker = stack.processes["worker"].pid
    file = stack.home / "opened"
    with redis.Redis.from_url(stack.redis.url()) as connection:
        for serializer in ("json", "pickle"):
            line = Queue("urgent", connection=connection, serializer=serializer)
            line.enqueue("os.system", f"touch {file}")
    stack.stop("clock")
    before = last_call(stack)
    stack.mux.send_event("video.asset.errored", asset_id=asset_id)
    wait_for(lambda: calls(stack, before) == ["GET"], seconds=30, what="the worker's look")
    assert not file.exists()
    assert stack.processes["worker"].pid == worker
    assert stack.processes["worker"].poll() is None
    assert "os.system is not on the list of jobs" in (stack.home / "worker.log").read_text()


def test_postgresql_crashes_and_comes_back(stack: Stack, instructor: Instructor) -> None:
    lesson = instructor.lesson()
    upload_id = instructor.upload(lesson)
    pids = {name: process.pid for name, process in stack.processes.items()}
    assert {"web", "worker", "clock"} <= set(pids)
    stack.database.kill()
    stack.mux.complete_upload(upload_id)
    status, _ = instructor.ask("GET", f"/api/lessons/{lesson}")
    assert status == 503
    assert request("POST", f"{stack.url}/api/webhooks/mux", b"{}").status == 401
    assert stack.alive()
    stack.database.start()
    began = time.monotonic()
    instructor.waits_for_publication(lesson, seconds=10)
    wait_for(stack.is_ready, seconds=max(1, 10 - (time.monotonic() - began)), what="readiness")
    assert instructor.published_how_often(lesson) == 1
    assert {name: process.pid for name, process in stack.processes.items()} == pids
    assert all(process.poll() is None for process in stack.processes.values())


def test_a_web_process_is_killed(stack: Stack, instructor: Instructor) -> None:
    lesson = instructor.lesson()
    upload_id = instructor.upload(lesson)
    for child in psutil.Process(stack.processes["web"].pid).children():
        os.kill(child.pid, signal.SIGKILL)
    stack.mux.complete_upload(upload_id)
    instructor.waits_for_publication(lesson, seconds=10)
    assert instructor.published_how_often(lesson) == 1


def test_an_asset_of_two_lessons_goes_with_the_second(stack: Stack, instructor: Instructor) -> None:
    """“Remove video” on the page of the one; and a deletion that an older program repeats for ever is ended."""
    first, second = instructor.lesson("First"), instructor.lesson("Second")
    stack.mux.complete_upload(instructor.upload(first))
    asset = instructor.waits_for_publication(first, seconds=20)["video"]
    named = {"lesson_id": second, "mux_asset_id": asset["asset_id"], "mux_playback_id": asset["playback_id"]}
    assert Support.hired(stack).ask("POST", "/api/mux/update-asset", named)[0] == 200
    instructor.waits_for_publication(second, seconds=20)

    def nothing_waits() -> bool:
        open_rows = "SELECT count(*) FROM asset_deletions WHERE mux_asset_id = %s AND done_at IS NULL"
        return bool(stack.database.one(open_rows, asset["asset_id"]) == 0)

    def is_at_mux() -> bool:
        return asset["asset_id"] in [one["id"] for one in stack.mux.assets()]

    assert instructor.press(f"/lessons/{first}/remove") == 302
    assert instructor.sees(first)["video"]["status"] == "none"
    assert nothing_waits()
    stack.database.rows(
        "INSERT INTO asset_deletions (id, mux_asset_id, target_type, target_id, attempts, last_error, due_at)"
        " VALUES (gen_random_uuid(), %s, 'lesson', %s, 30, 'it plays in a lesson or course again', now())",
        asset["asset_id"],
        first,
    )
    wait_for(nothing_waits, seconds=20, what="the end of the deletion")
    assert instructor.sees(second)["video"]["asset_id"] == asset["asset_id"]
    assert instructor.is_published(second)
    assert is_at_mux()

    assert instructor.press(f"/lessons/{second}/remove") == 302
    assert is_at_mux(), "it is kept for the grace time"
    stack.database.rows(
        "UPDATE asset_deletions SET due_at = now() WHERE mux_asset_id = %s", asset["asset_id"]
    )
    wait_for(lambda: not is_at_mux(), seconds=20, what="the deletion at Mux")
    wait_for(nothing_waits, seconds=20, what="the end of the deletion")


@pytest.mark.parametrize("name", ["worker", "clock"])
def test_asked_to_stop_it_stops(stack: Stack, name: str) -> None:
    process = stack.processes[name]
    at_work = "SELECT 1 FROM heartbeats WHERE name LIKE %s || '%%' AND name || coalesce(detail->>'pid', '') LIKE '%%' || %s"
    wait_for(lambda: stack.database.rows(at_work, name, str(process.pid)), seconds=20, what="its first beat")
    stack.stop(name, seconds=10)
    assert process.returncode == 0


def test_a_body_in_chunks_is_read_like_any_other(stack: Stack) -> None:
    """No Content-Length: neither an empty body nor one without a limit."""
    import http.client

    from tests.flows.processes import SECRET

    for size, wanted in ((100, 204), (1024 * 1024 + 1, 413)):
        body = b'{"id": "chunked", "type": "x", "data": "' + b"x" * size + b'"}'
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
        parts = (body[start : start + 65536] for start in range(0, len(body), 65536))
        headers = {"Mux-Signature": signature(body, SECRET, now=time.time())}
        connection.request("POST", "/api/webhooks/mux", body=parts, headers=headers, encode_chunked=True)
        assert connection.getresponse().status == wanted
        connection.close()


def test_an_instructor_who_lost_the_right_sends_the_file_afterwards(stack: Stack) -> None:
    """Disabled, made a student, or all handed over: nothing of it reaches the lesson; support reads why, and both answers
    work."""
    stack.flask("users", "create", "root@school.example", "--role", "admin", "--password", SECRET)
    admin, support = person(stack, "root", "admin"), person(stack, "sam", "support")
    losses = {"active": "clear_asset", "role": "take_over", "handover": "take_over"}
    instructors = {loss: person(stack, f"gone-{loss}", "instructor") for loss in losses}
    lessons = {loss: asked(one, "lessons", {"title": loss})["id"] for loss, one in instructors.items()}
    for loss, one in instructors.items():
        assert stack.mux.upload_file(begun(one, lessons[loss])) == 200
    plays = {loss: wait_for(lambda one=one: out(stack, one), seconds=10) for loss, one in lessons.items()}  # fmt: skip
    uploads = {loss: begun(one, lessons[loss]) for loss, one in instructors.items()}
    course_id = asked(instructors["role"], "courses", {"title": "Of two teachers"})["id"]
    asked(instructors["active"], "lessons", {"title": "canary"})
    stack.database.rows("UPDATE lessons SET course_id = %s WHERE title = 'canary' RETURNING 1", course_id)
    assert "canary" not in instructors["role"].get(f"/courses/{course_id}/edit").expect(200).text
    stack.stop("worker", "clock")  # the files are quicker than the cancellations
    for loss, upload_id in uploads.items():
        user_id = str(stack.database.one("SELECT id FROM users WHERE email LIKE %s", f"gone-{loss}@%"))
        said = admin.get(f"/admin/user/details/?id={user_id}").text
        assert "1 upload that has not arrived will be cancelled" in said
        form = [("id", user_id), ("active", "0"), ("role", "student"), ("to", "sam@school.example")]
        assert admin.post(f"/admin/user/{loss}", form).status == 302
        assert stack.mux.upload_file(upload_id) == 200
    held = {loss: waits_for_state(stack, one, "held") for loss, one in uploads.items()}
    stack.start("worker", "clock")
    time.sleep(2.5)  # two sweeps, and cancellations that come too late
    assert {loss: out(stack, one) for loss, one in lessons.items()} == plays
    for loss, answer in losses.items():
        page = support.get(f"/admin/lesson/details/?id={lessons[loss]}").text
        assert f"gone-{loss}@school.example started this upload and lost the right to this lesson on" in page
        assert all(f'value="{one}"' in page for one in losses.values())
        form = [("action", answer), ("rowid", held[loss])]
        assert support.post("/admin/tracking/action/", form).status == 302
    for loss, answer in losses.items():
        waits_for_state(stack, uploads[loss], "deleted" if answer == "clear_asset" else "ready")
        assert (out(stack, lessons[loss]) == plays[loss]) is (answer == "clear_asset")


def out(stack: Stack, lesson_id: str) -> str | None:
    """The asset that a published lesson plays."""
    query = "SELECT mux_asset_id FROM lessons WHERE id = %s AND status = 'published'"
    found = stack.database.rows(query, lesson_id)
    return found[0][0] if found else None


def waits_for_state(stack: Stack, upload_id: str, state: str) -> str:
    """The id of an upload, once it is in this state or (held) kept back."""
    query = "SELECT id FROM mux_asset_tracking WHERE upload_id = %s AND %s IN (status, error_type)"
    found = wait_for(lambda: stack.database.rows(query, upload_id, state), seconds=15, what=state)
    return str(found[0][0])


def person(stack: Stack, name: str, role: str) -> Browser:
    """A user who is signed in. Only the first needs the slow command line; the others have the same password."""
    copied = (
        "INSERT INTO users (email, name, role, password_hash) SELECT %s, %s, %s, password_hash FROM users"
        " WHERE email = 'root@school.example' ON CONFLICT DO NOTHING RETURNING id"
    )
    stack.database.rows(copied, f"{name}@school.example", name, role)
    browser = Browser(stack.url)
    browser.sign_in(f"{name}@school.example", SECRET).expect(302)
    return browser


def asked(browser: Browser, path: str, body: dict[str, object]) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-CSRFToken": browser.csrf()}
    answer = browser.send("POST", f"/api/{path}", body=json.dumps(body).encode(), headers=headers)
    found: dict[str, str] = answer.expect(201).json
    return found


def begun(browser: Browser, lesson_id: str) -> str:
    """An upload URL; the upload's id."""
    return asked(browser, "mux/upload-url", {"lesson_id": lesson_id, "filename": "talk.mp4", "size": 1000})[
        "upload_id"
    ]
