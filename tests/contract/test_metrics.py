"""Section 8: what `/metrics` says, with two web processes."""

import re
import uuid

from tests.contract.callers import Caller
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson


def scrape(stack: Stack) -> dict[str, float]:
    text = Caller(stack.url, "only-for-prometheus").get("/metrics").expect(200).text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def total(found: dict[str, float], name: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for series, value in found.items()
        if series.partition("{")[0] == name and all(one in series for one in wanted)
    )


def test_who_may_read_them(stack: Stack, support: Caller, instructor: Caller) -> None:
    for caller in (stack.stranger, instructor, Caller(stack.url, "wrong")):
        caller.get("/metrics").expect(401)
    support.get("/metrics").expect(200)
    text = Caller(stack.url, "only-for-prometheus").get("/metrics").expect(200)
    assert text.headers["Content-Type"].startswith("text/plain")


def test_names_and_labels(stack: Stack, instructor: Caller) -> None:
    stack.hook.raw(b"{}", "t=1,v1=0").expect(401)
    before = scrape(stack)
    lesson_id, asset = ready_lesson(stack, instructor)
    for _ in range(6):  # whichever of the two processes it meets
        stack.hook.event("robots.test.done", {"id": str(uuid.uuid4())}).expect(204)
        stack.hook.raw(b"{}", "t=1,v1=0").expect(401)
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    after = scrape(stack)

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert grown("lessonadmin_webhook_events_total", type="video.asset.ready", outcome="applied") == 1
    assert grown("lessonadmin_webhook_events_total", outcome="ignored") == 6
    assert grown("lessonadmin_webhook_rejected_total") == 6
    assert grown("lessonadmin_uploads_total", outcome="ready") == 1
    assert grown("lessonadmin_time_to_ready_seconds_count") == 1
    assert grown("lessonadmin_ready_discovered_total", by="webhook") == 1
    assert grown("lessonadmin_mux_requests_total") >= 1
    assert grown("lessonadmin_http_request_seconds_count", method="POST", status="204") >= 6
    assert any(name.startswith("lessonadmin_time_to_ready_seconds_bucket") for name in after)
    for gauge in ("lessonadmin_lessons_stuck", "lessonadmin_deletions_pending"):
        assert gauge in after
    assert any(re.match(r'lessonadmin_queue_jobs\{queue="[^"]+",state="[^"]+"\}', name) for name in after)
    assert any(
        re.match(r'lessonadmin_mux_requests_total\{operation="[^"]+",outcome="[^"]+"\}', name)
        for name in after
    )
    assert lesson_id not in str(after)


def test_ready_found_by_a_person_and_by_a_sweep(stack: Stack, instructor: Caller) -> None:
    before = scrape(stack)
    for by_sweep in (False, True):
        lesson_id = instructor.lesson()["id"]
        stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
        if by_sweep:
            stack.sql(
                "UPDATE mux_asset_tracking SET next_check_at = '2020-01-01' WHERE lesson_id = %s", lesson_id
            )
            stack.until(lambda found=lesson_id: instructor.seen(found)["status"] == "published")
        else:
            instructor.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200)
    after = scrape(stack)
    for by in ("manual", "sweep"):
        name = "lessonadmin_ready_discovered_total"
        assert total(after, name, by=by) - total(before, name, by=by) >= 1
