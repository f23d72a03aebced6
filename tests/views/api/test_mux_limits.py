"""Every request that calls Mux counts against a limit of its user, and a slow Mux takes the threads of no other request."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin import config, mux
from lessonadmin.db import db
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.models import AssetDeletion
from lessonadmin.mux import transport, web_concurrency
from muxsim.client import Control
from tests import factories
from tests.admin.posting import act, said
from tests.pages import csrf_of
from tests.settings import overridden
from tests.signing import signature
from tests.views.api.conftest import People, refused

LONG_AGO = datetime.now(UTC) - timedelta(hours=2)
Ask = Callable[[People], TestResponse]


def panel(people: People) -> FlaskClient:
    """One browser of support's for all of a test: what is said after an action is said in it."""
    known: dict[str, FlaskClient] = people.__dict__.setdefault("panels", {})
    if "support" not in known:
        known["support"] = factories.signed_in(people.support.user)
    return known["support"]


def adopt(people: People) -> TestResponse:
    lesson = factories.make_lesson(creator=people.instructor.user)
    return people.instructor.post(
        "/mux/track-upload", {"lesson_id": str(lesson.id), "upload_id": uuid.uuid4().hex}
    )


def publish_stuck(people: People) -> TestResponse:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="uploading")
    factories.make_tracking(lesson, created_at=LONG_AGO)
    return people.instructor.post(f"/lessons/{lesson.id}/publish")


def name_the_asset(people: People) -> TestResponse:
    lesson = factories.make_lesson()
    ids = {"mux_asset_id": uuid.uuid4().hex, "mux_playback_id": "x"}
    return people.support.post("/mux/update-asset", {"lesson_id": str(lesson.id), **ids})


def look(people: People) -> TestResponse:
    lesson = factories.make_playing_lesson()
    return panel(people).get(f"/admin/lesson/details/?id={lesson.id}&look=1")


def examine(people: People) -> TestResponse:
    return panel(people).get("/admin/doctor/")


def rows(action: str) -> Ask:
    def press(people: People) -> TestResponse:
        ids = [factories.make_playing_lesson().id for _ in range(2)]
        return act(panel(people), "lesson", action, *ids)

    return press


def cancel(people: People) -> TestResponse:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="uploading")
    upload = factories.make_tracking(lesson)
    return people.instructor.post("/mux/cancel-upload", {"upload_id": upload.upload_id})


def go_on(people: People) -> TestResponse:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="uploading")
    upload = factories.make_tracking(lesson, expires_at=datetime.now(UTC) + timedelta(hours=1))
    return people.instructor.post("/mux/resume-upload", {"upload_id": upload.upload_id})


def try_deletion(people: People) -> TestResponse:
    row = factories.keep(AssetDeletion(mux_asset_id=uuid.uuid4().hex, reason="test", attempts=1))
    browser = panel(people)
    return browser.post(
        "/admin/deletion/retry", data={"id": str(row.id), "csrf_token": csrf_of(browser, "/account")}
    )


STAFF = 2
CALLS: dict[
    str, tuple[Ask, int, int]
] = {  # how it is asked, how often that may be in a minute, what is answered then
    "adopting an upload": (adopt, 1, 429),
    "publishing what is stuck": (publish_stuck, 1, 429),
    "naming the asset": (name_the_asset, STAFF, 429),
    "looking at Mux": (look, STAFF, 429),
    "the doctor": (examine, STAFF, 429),
    "republishing rows": (rows("republish"), STAFF, 302),
    "rechecking rows": (rows("recheck"), STAFF, 302),
    "cancelling an upload": (cancel, 1, 200),  # it is cancelled here; a worker tells Mux
    "going on with an upload": (go_on, 1, 429),
    "trying a deletion": (try_deletion, STAFF, 302),
}


@pytest.fixture
def once_a_minute(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rate_limits, "STAFF_FACTOR", STAFF)
    with overridden(asks_per_minute=1):
        yield


def asked(sim: Control) -> int:
    return len(sim.calls(target="api"))


@pytest.mark.usefixtures("once_a_minute")
@pytest.mark.parametrize("name", CALLS)
def test_every_call_that_asks_mux_has_a_limit(people: People, sim: Control, name: str) -> None:
    ask, most, status = CALLS[name]
    for _ in range(most):
        before = asked(sim)
        assert ask(people).status_code not in (429, 500)
        assert asked(sim) > before, "this request does not call Mux"
    before = asked(sim)
    answer = ask(people)
    assert answer.status_code == status
    assert asked(sim) == before
    if status == 429:
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    if status == 302:
        assert rate_limits.OFTEN in said(panel(people))


@pytest.mark.usefixtures("once_a_minute")
def test_what_needs_no_answer_of_mux_is_not_counted(people: People, sim: Control) -> None:
    lesson = factories.make_lesson(creator=people.instructor.user, video_processing_status="uploading")
    upload = factories.make_tracking(lesson)
    plays = factories.make_playing_lesson(creator=people.instructor.user)
    for _ in range(3):
        body = {"lesson_id": str(lesson.id), "upload_id": upload.upload_id}
        assert people.instructor.post("/mux/track-upload", body).status_code == 200
        assert people.instructor.post(f"/lessons/{lesson.id}/publish").status_code == 202
        assert people.instructor.post(f"/lessons/{plays.id}/publish").status_code == 200
    assert asked(sim) == 0
    assert people.instructor.get("/mux/check-upload-status", lesson_id=lesson.id).status_code == 200


@pytest.mark.usefixtures("once_a_minute")
def test_the_order_to_publish_stands_though_mux_is_not_asked(people: People, sim: Control) -> None:
    publish_stuck(people)
    lesson = factories.make_lesson(
        creator=people.instructor.user, video_processing_status="uploading", publish_on_ready=False
    )
    factories.make_tracking(lesson, created_at=LONG_AGO)
    refused(people.instructor.post(f"/lessons/{lesson.id}/publish"), 429, "rate_limited")
    assert people.instructor.get(f"/lessons/{lesson.id}").get_json()["publish_on_ready"] is True


def test_a_view_that_forgets_to_count_does_not_reach_mux(
    settings_environment: dict[str, str], sim: Control, app: Flask
) -> None:
    from lessonadmin import create_app

    careless = create_app(config.load(settings_environment | {"MUX_API_URL": config.current().mux_api_url}))
    careless.add_url_rule("/careless", "health.careless", lambda: mux.get_asset("a1", priority="high").id)
    try:
        assert careless.test_client().get("/careless").status_code == 500
    finally:
        with careless.app_context():
            db.engine.dispose()  # else its connections are open when the garbage is collected
    assert asked(sim) == 0
    with pytest.raises(mux.MuxError):  # outside of a request no user is limited
        mux.get_asset("a1", priority="high")
    assert asked(sim) == 1


# A slow Mux

THREADS = 4  # of one web process, as the Procfile starts it
HANGS = 1.5


@pytest.fixture
def slow_mux(sim: Control, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    monkeypatch.setattr(transport, "LIMITS", transport.Limits(read=HANGS, whole=HANGS))
    monkeypatch.setattr(web_concurrency, "_slots", web_concurrency.Slots())
    sim.fault("api", "hang")
    yield sim
    sim.clear_faults()


Timed = tuple[int, float]


class Web:
    """As many threads as a web process has, and requests in line for them."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def send(self, request: Callable[[], TestResponse]) -> "Future[Timed]":
        sent = time.monotonic()
        return self._pool.submit(lambda: (request().status_code, time.monotonic() - sent))


def others(app: Flask, people: People) -> list[Callable[[], TestResponse]]:
    """What must not wait: a health check, a page, a signed webhook."""
    body = json.dumps({"type": "video.asset.ready", "id": uuid.uuid4().hex, "data": {"id": "a"}}).encode()
    headers = {"Mux-Signature": signature(body, "test-webhook-secret", now=time.time())}
    browser = factories.signed_in(people.student.user)
    return [
        lambda: app.test_client().get("/healthz"),
        lambda: browser.get("/account"),
        lambda: app.test_client().post(
            "/api/webhooks/mux", data=body, headers=headers, content_type="application/json"
        ),
    ]


def besieged(app: Flask, people: People) -> tuple[list[Timed], list[Timed]]:
    """Eight questions at once while Mux hangs, and what the others lived through meanwhile."""
    lessons = [factories.make_lesson(creator=people.instructor.user) for _ in range(8)]
    asks = [
        lambda lesson_id=str(lesson.id): people.instructor.post(
            "/mux/track-upload", {"lesson_id": lesson_id, "upload_id": uuid.uuid4().hex}
        )
        for lesson in lessons
    ]
    innocent = others(app, people)
    for one in innocent:
        one()  # what is made at the first request of all is no part of this
    with ThreadPoolExecutor(THREADS) as pool:
        web = Web(pool)
        asking = [web.send(ask) for ask in asks]
        time.sleep(web_concurrency.WAIT_SECONDS + 0.1)  # from now on Mux is known to be slow
        waiting = [web.send(one) for one in innocent]
        wait([*asking, *waiting])
    return [one.result() for one in asking], [one.result() for one in waiting]


@pytest.mark.usefixtures("slow_mux")
def test_a_slow_mux_takes_no_thread_from_health_checks_pages_and_webhooks(app: Flask, people: People) -> None:
    asking, waiting = besieged(app, people)
    assert [status for status, _ in asking] == [503] * 8
    assert (
        sum(seconds > HANGS for _, seconds in asking)
        == web_concurrency.MAX_AT_ONCE - web_concurrency.RESERVED_FOR_UPLOADS
    )
    assert [status for status, _ in waiting] == [200, 200, 204]
    assert max(seconds for _, seconds in waiting) < HANGS / 2, waiting


@pytest.mark.usefixtures("slow_mux")
def test_of_the_test_without_the_places_every_request_waits(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_concurrency, "MAX_AT_ONCE", 100)
    _, waiting = besieged(app, people)
    assert min(seconds for _, seconds in waiting) > HANGS / 2, waiting


@pytest.mark.usefixtures("slow_mux")
def test_who_starts_an_upload_finds_a_place_beside_questions_that_hang(
    app: Flask, people: People, slow_mux: Control
) -> None:
    slow_mux.clear_faults()
    slow_mux.fault("api", "hang", match={"operation": "get_upload"})
    lesson = factories.make_lesson(creator=people.instructor.user)
    with ThreadPoolExecutor(THREADS) as pool:
        asking = [pool.submit(adopt, people) for _ in range(3)]
        time.sleep(web_concurrency.WAIT_SECONDS + 0.1)
        started = people.instructor.post(
            "/mux/upload-url", {"lesson_id": str(lesson.id), "filename": "a.mp4"}
        )
        answers = [one.result() for one in asking]
    assert started.status_code == 201
    busy = [one for one in answers if "under way" in one.get_json()["error"]["message"]]
    assert len(busy) == 1
    assert refused(busy[0], 503, "mux_unavailable")
    assert busy[0].headers["Retry-After"] == str(web_concurrency.RETRY_AFTER_SECONDS)
