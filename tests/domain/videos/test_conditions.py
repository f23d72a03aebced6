"""Rules that are written for Python and for queries: both say the same, and say it as the partial indexes have it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import heartbeats
from lessonadmin.domain.diagnosis import diagnose
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.lessons import worklist
from lessonadmin.domain.lessons.worklist import Query
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Course, Lesson, Tracking, owners
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from lessonadmin.domain.models.videos import MIGRATED, TRACKING_STATUSES
from lessonadmin.domain.videos import conditions, video_status
from tests.admin.samples import browser
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.pages import page_of
from tests.queries import plan_of

LIMIT = 1800
# Far enough from the limit that it does not matter how long the test takes.
AGES = (0, LIMIT - 300, LIMIT + 300, 10 * LIMIT)


@pytest.mark.parametrize("superseded", [True, False])
@pytest.mark.parametrize("status", TRACKING_STATUSES)
def test_an_upload_is_open_current_or_playing_by_both_rules(
    session: Session, status: str, superseded: bool
) -> None:
    at = datetime.now(UTC) if superseded else None
    row = make_tracking(make_lesson(), status=status, mux_asset_id="a", superseded_at=at)
    said = session.execute(select(Tracking.is_open, Tracking.is_current, Tracking.plays)).one()
    assert tuple(said) == (row.is_open, row.is_current, row.plays)
    assert said.is_open == (status in ("uploading", "processing"))
    assert said.is_current == (not superseded)
    assert said.plays == (status == "ready" and not superseded)


@pytest.mark.parametrize("status", VIDEO_STATUSES)
def test_the_video_of_an_owner_is_open_by_both_rules(session: Session, status: str) -> None:
    for row, model in (
        (make_lesson(video_processing_status=status), Lesson),
        (make_course(video_processing_status=status), Course),
    ):
        said = session.scalar(select(model.video_is_open).where(model.id == row.id))
        assert said == row.video_is_open == (status in ("uploading", "processing"))


def test_every_owner_is_found_by_its_kind(session: Session) -> None:
    for owner in (make_lesson(), make_course()):
        row = make_tracking(owner)
        assert (row.target_type, row.target_id) == (owner.kind, owner.id)
        assert owners.MODELS[owner.kind] is type(owner)
        assert session.scalar(select(Tracking.id).where(owners.COLUMNS[owner.kind] == owner.id)) == row.id


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (
            select(Tracking.id).where(Tracking.is_current, Tracking.is_open),
            r"(uq_mux_asset_tracking_on_its_way_\w+|ix_mux_asset_tracking_open)",  # both hold the same rows
        ),
        (select(Tracking.id).where(Tracking.plays), "uq_mux_asset_tracking_playing"),
        (select(Lesson.id).where(Lesson.video_is_open), "ix_lessons_open_video"),
    ],
    ids=["open", "playing", "video_is_open"],
)
def test_a_partial_index_serves_a_statement_that_was_planned_without_its_values(
    session: Session, asked: object, index: str
) -> None:
    """The words stand in the statement itself: parameters would hide from a generic plan that the index fits."""
    sent = asked.compile(dialect=postgresql.psycopg.dialect())  # type: ignore[attr-defined]  # three kinds of select
    assert not sent.params
    assert re.search(index, plan_of(asked))


@pytest.mark.parametrize("upload_id", [None, "", "up", MIGRATED])
@pytest.mark.parametrize("asset_id", [None, "", "asset", "temp_1"])
def test_what_mux_can_be_asked_about_is_the_same_by_both_rules(
    session: Session, asset_id: str | None, upload_id: str | None
) -> None:
    for number, status in enumerate(TRACKING_STATUSES):
        asset = asset_id if status != "ready" else asset_id or ""  # the table wants one
        upload = f"up{number}" if upload_id == "up" else upload_id
        if upload == "" and number:
            continue  # unique, and one will do
        make_tracking(make_lesson(), status=status, mux_asset_id=asset, upload_id=upload)
    rows = session.scalars(select(Tracking)).all()
    found = set(session.scalars(select(Tracking.id).where(conditions.ASKABLE)))
    assert {row.id for row in rows if conditions.is_askable(row)} == found


# Stuck


@st.composite
def uploads_of_one(draw: st.DrawFn) -> list[dict[str, Any]]:
    """As the database allows them: one that plays and one on its way at most; what ended, or was overtaken, at will."""
    ended = st.sampled_from(("error", "cancelled", "deleting", "deleted"))
    current = [
        *draw(st.lists(st.just("ready"), max_size=1)),
        *draw(st.lists(st.sampled_from(("uploading", "processing")), max_size=1)),
        *draw(st.lists(ended, max_size=1)),
    ]
    overtaken = draw(st.lists(st.sampled_from(TRACKING_STATUSES), max_size=2))
    states = [(status, False) for status in current] + [(status, True) for status in overtaken]
    return [
        {"status": status, "superseded": old, "age": draw(st.sampled_from(AGES))} for status, old in states
    ]


OWNERS = st.lists(
    st.tuples(
        st.sampled_from((make_lesson, make_course)),
        st.sampled_from(VIDEO_STATUSES),
        st.sampled_from(AGES),
        uploads_of_one(),
    ),
    min_size=1,
    max_size=12,
)


@given(OWNERS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_an_upload_that_is_stuck_is_so_by_both_rules(session: Session, drawn: list[Any]) -> None:
    instructor = make_user()
    now = datetime.now(UTC)
    with transaction(CLI):
        for table in ("mux_asset_tracking", "lessons", "courses"):
            db.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - three names
        made = []
        for make, status, age, uploads in drawn:
            person = {"creator": instructor} if make is make_lesson else {"instructor": instructor}
            made.append(
                owner := make(
                    **person, video_processing_status=status, created_at=now - timedelta(seconds=age)
                )
            )
            for one in uploads:
                make_tracking(
                    owner, status=one["status"], mux_asset_id="a",
                    superseded_at=now if one["superseded"] else None, created_at=now - timedelta(seconds=one["age"]),
                )  # fmt: skip
    assert config.current().stuck_after_seconds == LIMIT
    at = session.execute(select(func.clock_timestamp())).scalar_one()
    rows = session.scalars(select(Tracking)).all()
    by_query = set(session.scalars(select(Tracking.id).where(conditions.stuck_uploads())))
    assert {row.id for row in rows if conditions.upload_is_stuck(row, at)} == by_query
    for model in (Lesson, Course):
        stuck = {
            one.id
            for one in made
            if isinstance(one, model)
            and conditions.is_stuck(one, [row for row in rows if row.target_id == one.id], at)
        }
        assert stuck == set(session.scalars(select(model.id).where(conditions.stuck(model))))
        assert sorted(stuck) == sorted(session.scalars(conditions.stuck_ids(model))), "each is counted once"
        others = {one.id for one in made if isinstance(one, model)} - stuck
        assert others == set(session.scalars(select(model.id).where(conditions.not_stuck(model))))
    told = {
        **video_status.of_many([one for one in made if isinstance(one, Lesson)]),
        **video_status.of_many([one for one in made if isinstance(one, Course)]),
    }
    for one in made:
        own = [row for row in rows if row.target_id == one.id]
        assert told[one.id].stuck == conditions.is_stuck(one, own, at)
    session.rollback()


def test_an_upload_that_waits_for_exactly_the_limit_is_stuck(session: Session) -> None:
    row = make_tracking(make_lesson())
    at = row.created_at + timedelta(seconds=LIMIT)
    assert conditions.upload_is_stuck(row, at)
    assert not conditions.upload_is_stuck(row, at - timedelta(microseconds=1))
    assert "created_at <= " in str(conditions.stuck_uploads())


def everywhere(lesson: Lesson) -> dict[str, bool]:
    """What each place says about the only lesson there is."""
    db.session.rollback()
    now = db.session.get_one(Lesson, lesson.id, populate_existing=True)
    staff = make_user(role="support")
    listed = worklist.page(staff, Query(state="attention"))
    admin = browser()
    tab = page_of(admin.get("/admin/lesson/?view=stuck")).text()
    causes = [one.cause for one in diagnose.diagnose(now)]
    return {
        "the rule": db.session.scalar(select(Lesson.id).where(conditions.stuck(Lesson))) is not None,
        "gauge": dashboard.lessons_stuck() == 1,
        "standing": video_status.of(now).stuck,
        "marked by the sweep": now.needs_attention_at is not None,
        "the instructor's list": listed.total == 1 and listed.counts["attention"] == 1,
        "tab": now.title in tab and "1 lesson" in tab,
        "cell": "badge--warn" in admin.get("/admin/lesson/").text,
        "page": any(
            word in page_of(admin.get(f"/admin/lesson/details/?id={now.id}")).text()
            for word in ("New video late", "Stuck by")
        ),
        "diagnosis": "replacement_late" in causes or "preparing_slowly" in causes,
        "doctor": next(line for line in all_checks.examine() if line.name == "stuck videos").level == "warn",
    }


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a video that plays"])
def test_every_place_says_the_same_of_a_late_video(mux_sim: MuxSim, beside: bool) -> None:
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    staff, left = make_user(role="support"), make_user(role="admin", active=False)
    lesson = make_lesson(title="Rye")
    if beside:
        mux_sim.uploaded(lesson)
        mux_sim.deliver()
    mux_sim.control.hold_processing()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    sweep.sweep()
    assert [place for place, says in everywhere(lesson).items() if says] == []
    db.session.execute(text("UPDATE mux_asset_tracking SET created_at = created_at - interval '1 hour'"))
    db.session.commit()
    sweep.sweep()
    assert [place for place, says in everywhere(lesson).items() if not says] == []
    assert mux_sim.notices(lesson.creator_id).count("needs_attention") == 1
    sweep.sweep()
    assert mux_sim.notices(staff.id).count("alarm") == 1, "the bell of staff names each lesson that is stuck"
    assert mux_sim.notices(left.id) == []
    assert mux_sim.lesson(lesson).status == ("published" if beside else "draft")
    coming = next(row for row in mux_sim.uploads(lesson) if row.is_open)
    mux_sim.control.set_asset_ready(coming.mux_asset_id or "")
    mux_sim.deliver()
    assert [place for place, says in everywhere(lesson).items() if says] == []


def test_the_open_uploads_alone_are_read_to_find_the_stuck(session: Session) -> None:
    plan = plan_of(select(Lesson.id).where(conditions.stuck(Lesson)))
    assert "ix_lessons_open_video" in plan, plan
    assert "ix_mux_asset_tracking_open" in plan or "uq_mux_asset_tracking_on_its_way" in plan, plan


def test_open_videos_and_open_uploads_are_compared_by_their_indexes_before_a_lesson_is_looked_at(
    session: Session,
) -> None:
    """A look at the uploads of each lesson, one by one, would grow with the lessons that are on their way."""
    lines = plan_of(conditions.stuck_ids(Lesson)).splitlines()
    (compared,) = [number for number, line in enumerate(lines) if "SetOp Except" in line]
    scans = [line for line in lines[compared:] if "Scan" in line]
    assert "Index Only Scan using ix_lessons_open_video" in scans[0], scans
    assert re.search("uq_mux_asset_tracking_on_its_way_lesson|ix_mux_asset_tracking_open", scans[1]), scans
    uploads = next(line for line in lines if " on mux_asset_tracking" in line)
    assert "Index Only Scan using ix_mux_asset_tracking_open" in uploads, lines


def test_a_page_of_what_is_not_stuck_makes_no_list_of_what_is(session: Session) -> None:
    page = select(Lesson.id).where(conditions.not_stuck(Lesson)).order_by(Lesson.id.desc()).limit(51)
    plan = plan_of(page)
    assert "Scan Backward using pk_lessons" in plan, plan
    assert "hashed" not in plan, plan
    assert "Join" not in plan, plan
