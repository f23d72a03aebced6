"""Bulk actions over HTTP: a bare post carries them out, the panel's own buttons ask first, a filter never takes more
rows than was meant."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import registry, runner, scheduling
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, AuditLog, Batch, User
from lessonadmin.domain.uploads import assign_asset
from tests.admin.posting import BATCH_PAGE, act, fresh, ready_drafts, said
from tests.factories import make_course, make_event, make_lesson, make_purchase, make_user, signed_in
from tests.mux_sim import MuxSim
from tests.pages import csrf_of, page_of
from tests.settings import overridden


@pytest.fixture
def support(app: Flask) -> FlaskClient:
    return signed_in(make_user(role="support"))


def test_a_bare_post_publishes_and_says_so(support: FlaskClient, session: object) -> None:
    lesson, *_ = ready_drafts(1)
    answer = act(support, "lesson", "publish", lesson.id)
    assert (answer.status_code, answer.location) == (302, "/admin/lesson/")
    assert fresh(lesson).status == "published"
    assert "Publish: Published." in said(support)


def test_several_rows_are_summed_up(support: FlaskClient, session: object) -> None:
    drafts = ready_drafts(2)
    none = make_lesson()
    answer = act(
        support,
        "lesson",
        "publish",
        *(one.id for one in drafts),
        none.id,
        uuid.uuid4(),
        url="/admin/lesson/?page_size=20",
    )
    assert answer.location == "/admin/lesson/?page_size=20"
    words = said(support)
    assert "2 done, 2 skipped." in words
    assert "It has no video." in words
    assert "It is not there any more." in words


def test_the_way_back_leads_nowhere_else(support: FlaskClient, session: object) -> None:
    lesson, *_ = ready_drafts(1)
    assert (
        act(support, "lesson", "publish", lesson.id, url="https://evil.example/").location == "/admin/lesson/"
    )


def test_more_than_twenty_run_as_a_batch(support: FlaskClient, session: object) -> None:
    drafts = ready_drafts(21)
    answer = act(support, "lesson", "publish", *(one.id for one in drafts), reason="a whole course")
    held = BATCH_PAGE.match(answer.location)
    assert held is not None, answer.location
    batch = db.session.get_one(Batch, uuid.UUID(held[1]))
    assert (batch.total, batch.status, batch.reason) == (21, "open", "a whole course")
    assert all(fresh(one).status == "draft" for one in drafts)
    runner.run_some(batch.id, seconds=10)
    assert all(fresh(one).status == "published" for one in drafts)
    page = page_of(support.get(answer.location))
    assert "21 of 21 lessons" in page.text()


def test_everything_that_matches_the_filter_and_nothing_else(support: FlaskClient, session: object) -> None:
    drafts = ready_drafts(23, price_cents=500)
    other = ready_drafts(1, price_cents=900)[0]
    instructor = drafts[0].creator_id
    answer = act(
        support,
        "lesson",
        "publish",
        scope="filter",
        query=f"?flt0_owner_is={instructor}&page=3&sort=0&page_size=20",
    )
    held = BATCH_PAGE.match(answer.location)
    assert held is not None
    runner.run_some(uuid.UUID(held[1]), seconds=10)
    assert all(fresh(one).status == "published" for one in drafts)
    assert fresh(other).status == "draft"


def test_a_filter_with_few_rows_runs_at_once(support: FlaskClient, session: object) -> None:
    lesson = ready_drafts(1, price_cents=777)[0]
    answer = act(support, "lesson", "publish", scope="filter", query="search=draft&flt0_state_is=draft")
    assert answer.location == "/admin/lesson/"
    assert fresh(lesson).status == "published"


@pytest.mark.parametrize(
    "query",
    [
        "flt0_state_is=bogus",
        "flt0_nothing_is=1",
        "flt0_owner_is=",
        "view=bogus",
        "status=draft",
        "flt0_created_from=yesterday",
        "flt0_state_is=draft&flt1_price_at_least=x",
        "x" * 9000,
    ],
)
def test_a_filter_that_is_not_understood_takes_no_row(
    support: FlaskClient, session: object, query: str
) -> None:
    lesson = ready_drafts(1)[0]
    answer = act(support, "lesson", "publish", scope="filter", query=query)
    assert answer.status_code == 400
    page_of(answer)
    assert fresh(lesson).status == "draft"


def test_a_filter_that_matches_nothing_says_so(support: FlaskClient, session: object) -> None:
    ready_drafts(1)
    for more in ({}, {"preview": "1"}):
        assert (
            act(support, "lesson", "publish", scope="filter", query="search=zanzibar", **more).status_code
            == 302
        )
        assert "Nothing matches this filter any more" in said(support)
    assert db.session.scalar(select(Batch.id)) is None


def test_no_row_chosen_and_no_such_action(support: FlaskClient, session: object) -> None:
    lesson = ready_drafts(1)[0]
    assert act(support, "lesson", "publish").status_code == 302
    assert "Select at least one lesson" in said(support)
    assert act(support, "lesson", "publish", "not-an-id", "").status_code == 302
    for slug, name in (
        ("lesson", "bogus"),
        ("lesson", "delete"),
        ("lesson", "restore_all"),
        ("course", "publish"),
        ("event", "clear_asset"),
        ("lesson", ""),
    ):
        assert act(support, slug, name, lesson.id).status_code == 400, (slug, name)
    assert fresh(lesson).status == "draft"


def test_an_expired_token_changes_nothing(support: FlaskClient, session: object) -> None:
    lesson = ready_drafts(1)[0]
    answer = support.post(
        "/admin/lesson/action/", data={"action": "publish", "rowid": str(lesson.id), "csrf_token": "old"}
    )
    assert answer.status_code == 400
    assert "open for too long" in page_of(answer).text()
    assert fresh(lesson).status == "draft"


def test_the_preview_changes_nothing_and_says_what_would(support: FlaskClient, session: object) -> None:
    drafts, none = ready_drafts(3), make_lesson(title="Bare")
    ids = [one.id for one in (*drafts, none)]
    page = page_of(act(support, "lesson", "publish", *ids, preview="1"))
    words = page.text()
    for expected in (
        "Publish: 4 lessons",
        "3 lessons",
        "Published.",
        "1 lesson",
        "It has no video.",
        "“Bare”",
        "Publish 3 lessons",
    ):
        assert expected in words, expected
    assert all(fresh(one).status == "draft" for one in drafts)
    without = act(support, "lesson", "publish", *ids, asked="1", reason=" ")
    assert "Write a reason for the audit log." in page_of(without).text()
    assert all(fresh(one).status == "draft" for one in drafts)
    act(support, "lesson", "publish", *ids, asked="1", reason="They asked by phone")
    trail = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.published")).all()
    assert [row.detail["reason"] for row in trail] == ["They asked by phone"] * 3
    assert {row.actor_type for row in trail} == {"user"}


def test_clearing_wants_a_word_typed_and_keeps_the_grace_time(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    page = page_of(act(support, "lesson", "clear_asset", lesson.id, preview="1"))
    assert "Type “remove” to confirm" in page.text()
    assert "Keep the videos for 24 hours" in page.text()
    wrong = act(support, "lesson", "clear_asset", lesson.id, asked="1", reason="x", typed="no", grace="1")
    assert page_of(wrong).text("title").startswith("Error: ")
    assert mux_sim.lesson(lesson).video_processing_status == "ready"
    act(support, "lesson", "clear_asset", lesson.id, asked="1", reason="x", typed="remove", grace="1")
    found = mux_sim.lesson(lesson)
    assert (found.video_processing_status, found.mux_asset_id, found.status) == ("deleting", None, "draft")
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert (deletion.due_at - deletion.requested_at).total_seconds() > 80_000
    (batch,) = db.session.scalars(select(Batch)).all()
    token = csrf_of(support, "/account")
    answer = support.post(
        "/admin/batch/undo", data={"id": str(batch.id), "reason": "too hasty", "csrf_token": token}
    )
    undoing = BATCH_PAGE.match(answer.location or "")
    assert undoing is not None
    runner.run_some(uuid.UUID(undoing[1]), seconds=10)
    assert mux_sim.lesson(lesson).mux_asset_id is not None
    assert db.session.scalars(select(AssetDeletion)).all() == []


@pytest.mark.parametrize("chosen", [1, 2])
def test_what_was_cleared_everywhere_comes_back_everywhere(
    support: FlaskClient, mux_sim: MuxSim, chosen: int
) -> None:
    """Two lessons of one asset: neither waits for a deletion that was taken back."""
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", duration=30.0)
    playback_id = mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    both = [make_lesson(), make_lesson()]
    for lesson in both:
        assign_asset.adopt_asset(lesson, asset_id=asset_id, playback_id=playback_id, actor=CLI)
    ids = [lesson.id for lesson in both[:chosen]]
    act(support, "lesson", "clear_asset", *ids, asked="1", reason="x", typed="remove", grace="1")
    assert [mux_sim.lesson(lesson).video_processing_status for lesson in both] == ["deleting"] * 2
    (batch,) = db.session.scalars(select(Batch)).all()
    form = {"id": str(batch.id), "reason": "too hasty", "csrf_token": csrf_of(support, "/account")}
    undoing = BATCH_PAGE.match(support.post("/admin/batch/undo", data=form).location or "")
    assert undoing is not None
    runner.run_some(uuid.UUID(undoing[1]), seconds=10)
    undone = db.session.get_one(Batch, uuid.UUID(undoing[1]), populate_existing=True)
    assert (undone.done, undone.skipped, undone.failed) == (1, 0, 0), "the other was cleared along with it"
    db.session.execute(
        text("UPDATE mux_asset_tracking SET next_check_at = now() WHERE status = 'processing'")
    )
    db.session.commit()
    sweep.sweep()
    for lesson in both:
        now = mux_sim.lesson(lesson)
        assert (now.mux_asset_id, now.video_processing_status, now.status) == (asset_id, "ready", "published")
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_a_bare_clear_deletes_right_away(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    act(support, "lesson", "clear_asset", lesson.id)
    assert mux_sim.lesson(lesson).mux_asset_id is None
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert (deletion.due_at - deletion.requested_at).total_seconds() < 5


def test_republish_takes_over_what_mux_has(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    act(support, "lesson", "republish", lesson.id)
    found = mux_sim.lesson(lesson)
    assert (found.status, found.video_processing_status) == ("published", "ready")
    assert "Published, as Mux has it" in said(support)


@pytest.mark.parametrize(("slug", "action"), [("lesson", "recheck"), ("tracking", "recheck")])
def test_recheck_finds_what_we_were_not_told(
    support: FlaskClient, mux_sim: MuxSim, slug: str, action: str
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    target = lesson.id if slug == "lesson" else mux_sim.uploads(lesson)[0].id
    act(support, slug, action, target)
    assert mux_sim.lesson(lesson).status == "published"
    assert "The video is ready at Mux, and plays now. Asked just now." in said(support)


def test_courses_and_uploads_are_cleared_and_events_replayed(support: FlaskClient, mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    act(support, "course", "recheck", course.id)
    act(support, "course", "clear_asset", course.id)
    assert mux_sim.course(course).mux_asset_id is None
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    act(support, "tracking", "clear_asset", mux_sim.uploads(lesson)[0].id)
    assert mux_sim.lesson(lesson).mux_asset_id is None
    for event in mux_sim.events():
        act(support, "event", "replay", event.id)
    assert (
        db.session.scalar(select(AuditLog.id).where(AuditLog.action == "event.replayed").limit(1)) is not None
    )


def test_all_failed_events_are_replayed_by_their_view(support: FlaskClient, session: object) -> None:
    kind = "video.asset.unheard_of"
    failed = [
        make_event(
            type=kind,
            outcome="failed",
            attempts=8,
            error="KeyError",
            payload={"id": f"event-{n}", "type": kind, "data": {}},
        )
        for n in range(22)
    ]
    fine = make_event(outcome="applied", attempts=1)
    answer = act(support, "event", "replay", scope="filter", query="view=failed")
    held = BATCH_PAGE.match(answer.location)
    assert held is not None
    runner.run_some(uuid.UUID(held[1]), seconds=20)
    assert {fresh(one).outcome for one in failed} == {"ignored"}
    assert fresh(fine).attempts == 1


def test_a_row_that_vanished_since_the_preview_is_skipped(support: FlaskClient, session: object) -> None:
    kept, gone = ready_drafts(2)
    instructor = db.session.get_one(User, kept.creator_id)
    with transaction(CLI):
        lessons.delete(instructor, gone.id)
    act(support, "lesson", "publish", kept.id, gone.id, asked="1", reason="x")
    assert "1 done, 1 skipped. It is not there any more." in said(support)


def test_mux_that_does_not_answer_leaves_the_row_to_the_worker(support: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    with overridden(mux_api_url="http://127.0.0.1:1"):
        answer = act(support, "lesson", "recheck", lesson.id)
    assert answer.status_code == 302
    assert "tried again automatically" in said(support)
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"


def test_removing_bought_videos_names_the_buyers_and_wants_their_number(
    support: FlaskClient, mux_sim: MuxSim
) -> None:
    lessons_of = [make_lesson(), make_lesson()]
    for lesson in lessons_of:
        mux_sim.uploaded(lesson)
    mux_sim.deliver()
    ada, ben = make_user(role="student", name="Ada"), make_user(role="student", name="Ben")
    make_purchase(lessons_of[0], ada)
    make_purchase(lessons_of[0], ben)
    make_purchase(lessons_of[1], ada)
    ids = [lesson.id for lesson in lessons_of]
    words = page_of(act(support, "lesson", "clear_asset", *ids, preview="1")).text()
    assert "2 lessons of these were bought by 2 students." in words
    assert "Ada, Ben." in words
    assert "Type “2” to confirm" in words
    make_purchase(lessons_of[1], make_user(role="student", name="Cleo"))
    form = {"asked": "1", "reason": "x", "grace": "1"}
    changed = page_of(act(support, "lesson", "clear_asset", *ids, typed="2", **form)).text()
    assert "bought by 3 students" in changed
    assert "Type “3” to confirm" in changed
    assert [mux_sim.lesson(lesson).status for lesson in lessons_of] == ["published"] * 2
    act(support, "lesson", "clear_asset", *ids, typed="3", **form)
    assert [mux_sim.lesson(lesson).video_processing_status for lesson in lessons_of] == ["deleting"] * 2


def test_who_buys_after_the_number_was_confirmed_keeps_the_video(
    support: FlaskClient, mux_sim: MuxSim
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    moment = db.session.scalar(select(func.clock_timestamp()))
    make_purchase(lesson, make_user(role="student"))
    options = {"grace": True, "confirmed_at": moment.isoformat()}
    report = scheduling.run_now(
        registry.find("lesson", "clear_asset"),
        [lesson.id],
        actor=Actor.user(make_user(role="support").id),
        options=options,
    )
    assert [line.status for line in report.items] == ["skipped"]
    assert mux_sim.lesson(lesson).video_processing_status == "ready"


def test_each_row_says_which_actions_would_do_something_with_it(
    support: FlaskClient, session: object
) -> None:
    ready_drafts(1)
    make_lesson(title="Nothing there", publish_on_ready=False)
    boxes = page_of(support.get("/admin/lesson/")).all("input", name="rowid")
    useful = {one["aria-label"]: (one["data-useful"] or "").split() for one in boxes}
    assert useful.pop("Select Nothing there") == []
    assert list(useful.values()) == [
        ["publish", "unpublish", "republish", "make_captions", "clear_asset", "recheck"]
    ]
