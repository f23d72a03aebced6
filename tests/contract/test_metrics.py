"""Section 8: what `/metrics` says, with two web processes."""

import re
import uuid

from tests.contract.callers import Caller
from tests.contract.house import House
from tests.contract.test_lessons import ready_lesson


def scrape(house: House) -> dict[str, float]:
    text = Caller(house.url, "only-for-prometheus").get("/metrics").expect(200).text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def total(found: dict[str, float], name: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for series, value in found.items()
        if series.partition("{")[0] == name and all(one in series for one in wanted)
    )


def test_who_may_read_them(house: House, support: Caller, teacher: Caller) -> None:
    for caller in (house.nobody, teacher, Caller(house.url, "wrong")):
        caller.get("/metrics").expect(401)
    support.get("/metrics").expect(200)
    text = Caller(house.url, "only-for-prometheus").get("/metrics").expect(200)
    assert text.headers["Content-Type"].startswith("text/plain")


def test_names_and_labels(house: House, teacher: Caller) -> None:
    house.hook.raw(b"{}", "t=1,v1=0").expect(401)
    before = scrape(house)
    lesson_id, asset = ready_lesson(house, teacher)
    for _ in range(6):  # whichever of the two processes it meets
        house.hook.event("robots.test.done", {"id": str(uuid.uuid4())}).expect(204)
        house.hook.raw(b"{}", "t=1,v1=0").expect(401)
    teacher.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    house.until(lambda: asset["id"] not in house.mux.assets)
    after = scrape(house)

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


def test_ready_found_by_a_person_and_by_a_sweep(house: House, teacher: Caller) -> None:
    before = scrape(house)
    for by_sweep in (False, True):
        lesson_id = teacher.lesson()["id"]
        house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"], "ready")
        if by_sweep:
            house.sql(
                "UPDATE mux_asset_tracking SET next_check_at = '2020-01-01' WHERE lesson_id = %s", lesson_id
            )
            house.until(lambda found=lesson_id: teacher.seen(found)["status"] == "published")
        else:
            teacher.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200)
    after = scrape(house)
    for by in ("manual", "sweep"):
        name = "lessonadmin_ready_discovered_total"
        assert total(after, name, by=by) - total(before, name, by=by) >= 1
