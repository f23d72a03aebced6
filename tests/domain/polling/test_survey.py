"""Many lost webhooks, few calls: what one survey asks, what it concludes, and what it leaves for the next."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from lessonadmin import mux
from lessonadmin.db import JOB, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.polling import ask_mux, survey
from tests.factories import make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


def all_due(seconds: int = 3600) -> None:
    """As if this much time had passed without a word."""
    moved = "created_at = created_at - make_interval(secs => :s), next_check_at = now() - interval '1 second'"
    where = "WHERE superseded_at IS NULL AND status IN ('uploading', 'processing')"
    db.session.execute(text(f"UPDATE mux_asset_tracking SET {moved} {where}"), {"s": seconds})  # noqa: S608 - both texts are this test's own
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()


def gets(mux_sim: MuxSim) -> list[str]:
    return [call["operation"] for call in mux_sim.calls() if call["method"] == "GET"]


def many_processing(mux_sim: MuxSim, count: int) -> None:
    """So many lessons whose videos are ready at Mux, and no webhook told it."""
    if not count:
        return
    instructor = make_user()
    lessons = [
        {"id": uuid.uuid4(), "creator_id": instructor.id, "title": f"Lesson {n}"} for n in range(count)
    ]
    rows = [
        {"id": uuid.uuid4(), "lesson_id": one["id"], "owner_id": instructor.id, "upload_id": f"upload{n}", "status": "processing",
         "next_check_at": func.now()}
        for n, one in enumerate(lessons)
    ]  # fmt: skip
    db.session.execute(insert(Lesson), lessons)
    db.session.execute(insert(Tracking).values(rows))
    db.session.commit()
    options: list[dict[str, Any]] = []
    for lesson, row in zip(lessons, rows, strict=True):
        note = mux.Passthrough(lesson_id=lesson["id"], tracking_id=row["id"])  # type: ignore[arg-type]
        options.append(
            {
                "upload_id": row["upload_id"],
                "passthrough": note.text(),
                "meta": {"external_id": str(row["id"])},
            }
        )
    mux_sim.control.seed_each(options)


def test_a_thousand_lost_webhooks_cost_a_page_a_hundred(mux_sim: MuxSim) -> None:
    many_processing(mux_sim, 1000)
    assert not sweep.sweep().failed
    assert len(gets(mux_sim)) <= 12
    assert set(gets(mux_sim)) == {"list_assets"}
    published = db.session.scalar(select(func.count()).where(Lesson.status == "published"))
    assert published == 1000


@pytest.mark.parametrize("found", [0, 30])
def test_no_survey_asks_more_than_twelve_times(mux_sim: MuxSim, found: int) -> None:
    """Also when no page shows what is looked for, and each must be asked about by itself."""
    many_processing(mux_sim, found)
    instructor = make_user()
    for n in range(20):
        make_tracking(
            make_lesson(creator=instructor),
            status="processing",
            mux_asset_id=f"lost{n}" * 8,
            upload_id=f"l{n}",
        )
    all_due()
    survey.check_due(actor=JOB)
    assert 0 < len(gets(mux_sim)) <= survey.MAX_CALLS == 12


def test_what_a_page_does_not_show_is_not_taken_for_gone(mux_sim: MuxSim) -> None:
    lessons = [make_lesson() for _ in range(5)]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.forget()
    mux_sim.control.fault("api", "status", match={"operation": "get_*"}, status=500)
    hidden = mux_sim.control.assets()[0]["id"]
    mux_sim.control.delete_asset_in_dashboard(hidden)
    mux_sim.forget()
    all_due()
    survey.check_due(actor=JOB)
    states = [mux_sim.lesson(lesson).video_processing_status for lesson in lessons]
    assert sorted(states) == ["ready"] * 4 + ["uploading"]


def test_an_asset_that_is_truly_gone_is_seen_by_asking_for_it(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.forget()
    all_due()
    survey.check_due(actor=JOB)
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"


def test_what_was_due_first_is_asked_about_first(mux_sim: MuxSim) -> None:
    """Uploads that Mux never heard of take a single look each: none of them may keep an older one from its turn."""
    lessons = [make_lesson() for _ in range(9)]
    for number, lesson in enumerate(lessons):
        due = text(f"now() - interval '{number + 1} minutes'")
        make_tracking(lesson, upload_id=f"unheard-of-{number}", next_check_at=db.session.scalar(select(due)))
    survey.check_due(actor=JOB)

    def asked() -> list[int]:
        return [n for n, one in enumerate(lessons) if mux_sim.uploads(one)[0].attempts > 0]

    first = asked()
    assert first == list(range(9 - len(first), 9))
    assert 0 < len(first) < 9
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()
    survey.check_due(actor=JOB)
    assert asked() == list(range(9)), "the rest was due at once, not after another silence"


def test_uploads_that_still_wait_are_told_apart_from_those_that_ended(mux_sim: MuxSim) -> None:
    lessons = [make_lesson() for _ in range(6)]
    tickets = [mux_sim.upload(lesson) for lesson in lessons]
    mux_sim.control.time_out_upload(tickets[0].upload_id)
    mux_sim.control.cancel_upload_elsewhere(tickets[1].upload_id)
    mux_sim.control.error_upload(tickets[2].upload_id)
    mux_sim.forget()
    all_due()
    survey.check_due(actor=JOB)
    assert [mux_sim.lesson(one).video_error_type for one in lessons] == [
        "upload_timed_out", "upload_cancelled", "upload_errored", None, None, None,
    ]  # fmt: skip
    assert gets(mux_sim) == ["list_assets", "list_uploads"]


def test_an_address_that_ran_out_is_found_by_our_own_clock(mux_sim: MuxSim) -> None:
    """Mux sends no event of a time-out, and may not even have noticed it itself."""
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    db.session.execute(update(Tracking).values(expires_at=func.now() - text("interval '1 minute'")))
    db.session.commit()
    all_due(86400)
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "waiting"
    sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert (now.video_processing_status, now.video_error_type) == ("error", "upload_timed_out")
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published", "what comes after all is welcome"


def test_an_upload_is_asked_about_when_its_address_runs_out(mux_sim: MuxSim) -> None:
    """Not half an hour later, as its age alone would have it."""
    lesson = make_lesson()
    mux_sim.upload(lesson)
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = now() - interval '1 day', expires_at = now() + interval '1 minute'"
        )
    )
    db.session.commit()
    all_due(0)
    sweep.sweep()
    (row,) = mux_sim.uploads(lesson)
    assert row.next_check_at
    assert row.expires_at
    assert 0 < (row.next_check_at - row.expires_at).total_seconds() < 10


def test_silence_is_waited_for_longer_the_older_an_upload_is(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    for age, pause in ((0, 60), (400, 100), (3600, 900), (86400, 1800), (10 * 86400, 1800)):
        db.session.execute(
            text(
                "UPDATE mux_asset_tracking SET expires_at = NULL, next_check_at = now() - interval '1 second',"
                " created_at = now() - make_interval(secs => :age)"
            ),
            {"age": age},
        )
        db.session.execute(text("DELETE FROM mux_budget"))
        db.session.commit()
        survey.check_due(actor=JOB)
        left = db.session.scalar(
            text("SELECT extract(epoch FROM next_check_at - now()) FROM mux_asset_tracking")
        )
        assert abs(float(left) - pause) < 5


def test_an_open_upload_without_a_turn_gets_one(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    db.session.execute(update(Tracking).values(next_check_at=None))
    db.session.commit()
    sweep.sweep()
    assert mux_sim.lesson(lesson).status == "published"


def test_one_that_cannot_be_applied_delays_no_other(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = [make_lesson() for _ in range(5)]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.forget()
    all_due()
    poisoned, real = lessons[2].id, ask_mux.apply_observation

    def let_happen(subject: ask_mux.UploadSnapshot, observation: Any) -> Any:
        if subject.target_id == poisoned:
            raise RuntimeError("poison")
        return real(subject, observation)

    monkeypatch.setattr(ask_mux, "apply_observation", let_happen)
    summary = sweep.sweep()
    assert summary.failed == {"uploads": "RowsFailed"}
    assert [mux_sim.lesson(one).status for one in lessons].count("published") == 4
    monkeypatch.undo()
    all_due()
    sweep.sweep()
    assert mux_sim.lesson(lessons[2]).status == "published"


@pytest.mark.parametrize("status", [429, 500, 401])
def test_a_mux_that_does_not_answer_is_asked_once_and_concludes_nothing(mux_sim: MuxSim, status: int) -> None:
    lessons = [make_lesson() for _ in range(6)]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.forget()
    mux_sim.control.fault("api", "status", status=status)
    all_due()
    before = len(mux_sim.calls())
    survey.check_due(actor=JOB)
    assert len(mux_sim.calls()) - before == 1
    assert {mux_sim.lesson(one).video_processing_status for one in lessons} == {"uploading"}


def test_retry_after_pauses_every_background_call(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    mux_sim.control.fault("api", "rate_limited", retry_after=33)
    all_due()
    survey.check_due(actor=JOB)
    assert 25 < mux_budget.left()[1] <= 33
    mux_sim.control.clear_faults()
    before = len(mux_sim.calls())
    sweep.sweep()
    assert len(mux_sim.calls()) == before


def test_without_budget_nothing_is_asked_and_nothing_is_forgotten(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    all_due()
    while mux_budget.take():
        pass
    before = len(mux_sim.calls())
    survey.check_due(actor=JOB)
    assert len(mux_sim.calls()) == before
    (row,) = mux_sim.uploads(lesson)
    soon = db.session.scalar(select(Tracking.next_check_at <= func.now() + text("interval '61 seconds'")))
    assert soon, row.next_check_at


def test_the_shortest_silence_is_a_setting(mux_sim: MuxSim) -> None:
    with overridden(recheck_after_seconds=7):
        mux_sim.upload(make_lesson())
    left = db.session.scalar(text("SELECT extract(epoch FROM next_check_at - now()) FROM mux_asset_tracking"))
    assert 5 < float(left) <= 7
