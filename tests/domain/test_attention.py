"""Which lessons and courses need a person: one table of states, and every place that must say the same of each."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import attention
from lessonadmin.domain.attention import CAUSES
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.lessons import worklist
from lessonadmin.domain.lessons.worklist import Query
from lessonadmin.domain.models import Course, Difference, Lesson, MuxCall, Owner, ReconcileRun, Tracking
from tests.admin.samples import browser, titles
from tests.factories import keep, make_course, make_lesson, make_tracking, make_user, signed_in
from tests.pages import page_of
from tests.queries import plan_of

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Make = Callable[..., Any]


def owner_with(make: Make, status: str, **columns: Any) -> Owner:
    owner: Owner = make(video_processing_status=status, **columns)
    return owner


def failed(error_type: str) -> Callable[[Make], Owner]:
    def build(make: Make) -> Owner:
        owner = owner_with(make, "error", video_error_type=error_type)
        make_tracking(owner, status="error", error_type=error_type)
        return owner

    return build


def deleted_at_mux(make: Make) -> Owner:
    owner = owner_with(make, "error", video_error_type="deleted_at_mux")
    make_tracking(owner, status="deleted", error_type="deleted_at_mux")
    return owner


def late(
    status: str, *, age: timedelta = HOUR, beside: bool = False, **upload: Any
) -> Callable[[Make], Owner]:
    def build(make: Make) -> Owner:
        owner = owner_with(make, "ready" if beside else status)
        if beside:
            make_tracking(owner, status="ready", mux_asset_id="plays")
        began = datetime.now(UTC) - age  # NOW is older: of when the tests were collected
        make_tracking(owner, status=status, mux_asset_id="comes", created_at=began, **upload)
        return owner

    return build


def late_without_upload(make: Make) -> Owner:
    return owner_with(make, "processing", created_at=NOW - DAY)


def plays(make: Make, **upload: Any) -> Owner:
    owner = owner_with(make, "ready", mux_asset_id="as", mux_playback_id="pb")
    make_tracking(owner, status="ready", mux_asset_id="as", mux_playback_id="pb", **upload)
    return owner


def missed(
    owner: Owner, *, at: datetime = NOW - HOUR, asset: str = "as", summary: Any = None, **columns: Any
) -> None:
    run = keep(ReconcileRun(started_at=at, finished_at=at, summary=summary or {}))
    keep(
        Difference(
            run_id=run.id, kind="missing", mux_id=asset, target_type=owner.kind, target_id=owner.id, **columns
        )
    )


def missing(*, upload: dict[str, Any] | None = None, **finding: Any) -> Callable[[Make], Owner]:
    def build(make: Make) -> Owner:
        owner = plays(make, **(upload or {}))
        missed(owner, **finding)
        return owner

    return build


def missing_without_upload(make: Make) -> Owner:
    owner = owner_with(make, "ready", mux_asset_id="as", mux_playback_id="pb")
    missed(owner)
    return owner


def missing_and_found_again(make: Make) -> Owner:
    owner = plays(make)
    missed(owner, at=NOW - DAY)
    keep(ReconcileRun(started_at=NOW - HOUR, finished_at=NOW))
    return owner


def missing_while_a_run_works(make: Make) -> Owner:
    owner = plays(make)
    missed(owner)
    keep(ReconcileRun(started_at=NOW))
    return owner


def missing_for_days(make: Make) -> Owner:
    owner = plays(make)
    for days in (1, 2, 3):
        missed(owner, at=datetime(2026, 11, 28, tzinfo=UTC) + days * DAY)
    return owner


def refused(outcome: str | None, status: str = "none") -> Callable[[Make], Owner]:
    def build(make: Make) -> Owner:
        owner = owner_with(make, status)
        if status == "ready":
            make_tracking(owner, status="ready", mux_asset_id="as", created_at=NOW - DAY)
        make_tracking(
            owner, upload_id=None, status="error", error_type="upload_not_created", superseded_at=NOW
        )
        if outcome:
            target = {"target_type": owner.kind, "target_id": owner.id}
            keep(MuxCall(operation="create_upload", outcome="ok", at=NOW - DAY, **target))
            keep(MuxCall(operation="create_upload", outcome=outcome, **target))
            keep(MuxCall(operation="look", outcome="ok", at=NOW + HOUR, **target))
        return owner

    return build


def refused_then_cancelled(make: Make) -> Owner:
    owner = refused("auth_error")(make)
    make_tracking(owner, status="cancelled", created_at=NOW + HOUR)
    return owner


def refused_then_tried_again(make: Make) -> Owner:
    owner = refused("auth_error")(make)
    make_tracking(owner, upload_id=None, superseded_at=NOW, created_at=NOW + HOUR)
    return owner


def of_one_upload(status: str, shown: str = "none", **columns: Any) -> Callable[[Make], Owner]:
    def build(make: Make) -> Owner:
        owner = owner_with(make, shown)
        make_tracking(owner, status=status, mux_asset_id="as", **columns)
        return owner

    return build


def failed_beside(make: Make) -> Owner:
    owner = plays(make)
    make_tracking(owner, status="error", error_type="asset_errored", superseded_at=NOW)
    return owner


WAITS = {"last_answer": "upload_waiting"}
# name -> how to make it, its causes, its sentence
STATES: dict[str, tuple[Callable[[Make], Owner], tuple[str, ...], str]] = {
    "no video": (lambda make: owner_with(make, "none"), (), ""),
    "uploading": (late("uploading", age=timedelta()), (), ""),
    "processing": (late("processing", age=timedelta(minutes=20)), (), ""),
    "plays": (plays, (), ""),
    "deleting": (of_one_upload("deleting", "deleting"), (), ""),
    "deleted by a person": (of_one_upload("deleted"), (), ""),
    "cancelled by a person": (of_one_upload("cancelled"), (), ""),
    "right lost": (of_one_upload("cancelled", error_type="right_lost", superseded_at=NOW), (), ""),
    "failed beside one that plays": (failed_beside, (), ""),
    "stuck, nothing known of its file": (late("uploading"), ("stuck",), "Mux has received no complete file yet"),
    "stuck, no file": (late("uploading", **WAITS), ("no_file", "stuck"), "The file has not arrived"),
    "stuck, no file beside one that plays": (
        late("uploading", beside=True, **WAITS),
        ("no_file", "stuck"),
        "The file has not arrived",
    ),
    "stuck, all sent": (
        late("uploading", bytes_in_at=NOW, **WAITS),
        ("stuck",),
        "Mux has received no complete file yet",
    ),
    "stuck, processing": (late("processing"), ("stuck",), "Mux is still processing the file"),
    "stuck beside one that plays": (
        late("processing", beside=True),
        ("stuck",),
        "Mux is still processing the file",
    ),
    "stuck, from before uploads": (late_without_upload, ("stuck",), "Mux is still processing the file"),
    "timed out": (failed("upload_timed_out"), ("failed",), "Mux received no complete file"),
    "no video file": (failed("upload_errored"), ("failed",), "Mux could not use the file"),
    "cancelled elsewhere": (failed("upload_cancelled"), ("failed",), "The upload was cancelled at Mux"),
    "failed at Mux": (failed("asset_errored"), ("failed",), "Mux could not process the file"),
    "no playback id": (
        failed("no_playback_id"),
        ("unplayable", "failed"),
        "Mux gave the video no playback address",
    ),
    "wrong policy": (
        failed("wrong_policy"),
        ("unplayable", "failed"),
        "The video has the wrong playback policy",
    ),
    "deleted at Mux": (
        deleted_at_mux,
        ("deleted_at_mux", "failed"),
        "Deleted at Mux, not in Lessonadmin",
    ),
    "missing at Mux": (missing(at=datetime(2026, 11, 28, tzinfo=UTC)), ("missing_at_mux",), "Missing at Mux since 28 Nov"),
    "missing for days": (missing_for_days, ("missing_at_mux",), "Missing at Mux since 29 Nov"),
    "missing while a run works": (missing_while_a_run_works, ("missing_at_mux",), "Missing at Mux since "),
    "missing, Mux could not be asked": (
        missing(upload={"last_look_at": NOW, "last_look_error": "timeout: no answer"}),
        ("missing_at_mux",),
        "Missing at Mux since ",
    ),
    "missing, from before uploads": (missing_without_upload, ("missing_at_mux",), "Missing at Mux since "),
    "missing and seen since": (missing(upload={"last_look_at": NOW}), (), ""),
    "missing and found again": (missing_and_found_again, (), ""),
    "missing and fixed": (missing(mended_at=NOW), (), ""),
    "missing as nearly everything": (missing(summary={"implausible": True}), (), ""),
    "another asset is missing": (missing(asset="another"), (), ""),
    "refused, token": (refused("auth_error"), ("refused",), "Mux refused the upload: access token"),
    "refused, plan": (refused("quota"), ("refused",), "Mux refused the upload: the limit of the plan"),
    "refused, no answer": (refused("timeout"), ("refused",), "Mux did not answer when the upload began"),
    "interrupted": (refused(None), ("refused",), "The upload could not begin"),
    "refused beside one that plays": (refused("auth_error", "ready"), (), ""),
    "refused, then cancelled": (refused_then_cancelled, (), ""),
    "refused, then tried again": (refused_then_tried_again, (), ""),
    "held": (
        of_one_upload("cancelled", error_type="held", superseded_at=NOW),
        ("held",),
        "A file is held until support decides",
    ),
}  # fmt: skip


def found(query: Any) -> list[Any]:
    return list(db.session.scalars(query))


def forget() -> None:
    with transaction(CLI):
        for table in ("mux_asset_tracking", "lessons", "courses", "mux_calls", "reconcile_runs"):
            db.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - five names


@pytest.mark.parametrize("name", STATES)
def test_every_rule_says_the_same_of_a_state(session: Session, name: str) -> None:
    for make, model in ((make_lesson, Lesson), (make_course, Course)):
        build, causes, sentence = STATES[name]
        owner, other = build(make), make()
        the_owner_is_found(model, owner, other, causes)
        said = attention.why_many([owner, other])
        assert set(said) == ({owner.id} if causes else set())
        assert all(one.startswith(sentence) for one in said.values())
        first = {cause: int(causes[:1] == (cause,)) for cause in CAUSES}
        assert attention.count_by_cause() == (first if model is Lesson else dict.fromkeys(CAUSES, 0))
        the_upload_is_found(name, causes, sentence)
        forget()


@pytest.mark.parametrize("make", [make_lesson, make_course])
def test_of_many_findings_of_one_comparison_each_counts_for_its_own(session: Session, make: Make) -> None:
    run = keep(ReconcileRun(started_at=NOW - HOUR, finished_at=NOW - HOUR, summary={}))
    owners = []
    for number, looked in enumerate((NOW - DAY, NOW, None, NOW - DAY)):
        asset = f"as{number % 3}"  # the last one shares the asset of the first, and was not missed itself
        owner = owner_with(make, "ready", mux_asset_id=asset, mux_playback_id="pb")
        make_tracking(owner, status="ready", mux_asset_id=asset, mux_playback_id="pb", last_look_at=looked)
        if number < 3:
            about = {"target_type": owner.kind, "target_id": owner.id}
            keep(Difference(run_id=run.id, kind="missing", mux_id=asset, **about))
        owners.append(owner)
    model = type(owners[0])
    wanted = {owners[0].id, owners[2].id}
    assert set(found(attention.ids(model))) == wanted
    assert set(found(select(model.id).where(attention.has("missing_at_mux", model)))) == wanted
    assert set(attention.why_many(owners)) == wanted
    assert attention.count_by_cause()["missing_at_mux"] == (2 if model is Lesson else 0)


def the_owner_is_found(model: type[Any], owner: Owner, other: Owner, causes: tuple[str, ...]) -> None:
    once = [owner.id] if causes else []
    for cause in CAUSES:
        named = [owner.id] if cause in causes else []
        assert found(attention.ids_with(cause, model)) == named, cause
        assert found(select(model.id).where(attention.has(cause, model))) == named, cause
    assert found(attention.ids(model)) == once
    assert found(select(model.id).where(attention.needed(model))) == once
    assert found(select(model.id).where(attention.needed_by_each(model))) == once
    assert found(attention.newest_ids(model, 10)) == once
    others = {owner.id, other.id} - set(once)
    assert set(found(select(model.id).where(~attention.needed_by_each(model)))) == others


def the_upload_is_found(name: str, causes: tuple[str, ...], sentence: str) -> None:
    """The one that was made last."""
    rows = found(select(Tracking).order_by(Tracking.id))
    if causes and not rows:
        assert name.endswith("from before uploads")
        causes = ()
    which = [rows[-1].id] if causes else []
    assert found(attention.upload_ids()) == which
    assert found(select(Tracking.id).where(attention.uploads())) == which
    assert found(select(Tracking.id).where(attention.uploads_by_each())) == which
    said = attention.why_uploads(rows)
    assert list(said) == which
    assert all(one.startswith(sentence) for one in said.values())


def test_every_place_names_the_same_lessons(session: Session) -> None:
    """One of each state, of one instructor; of what is missing one, since only the newest comparison counts."""
    instructor, support = make_user(), make_user(role="support")
    states = {name: state for name, state in STATES.items() if "missing" not in name}
    states["missing"] = (missing(), ("missing_at_mux",), "")
    for name, (build, _, _) in states.items():
        build(partial(make_lesson, creator=instructor, title=name))
    expected = {name for name, (_, causes, _) in states.items() if causes}
    panel = signed_in(support)
    for user in (instructor, support):
        first, second = (worklist.page(user, Query(state="attention", page=page)) for page in (1, 2))
        assert {one.title for one in (*first.lessons, *second.lessons)} == expected
        assert first.total == first.counts["attention"] == len(expected)
    lists = "/admin/lesson/?page_size=100&"
    assert set(titles(panel, f"{lists}view=needs-attention")) == expected
    assert set(titles(panel, f"{lists}flt0_needs_attention_is=yes")) == expected
    assert set(titles(panel, f"{lists}flt0_needs_attention_is=no")) == set(states) - expected
    for cause in CAUSES:
        named = {name for name, (_, causes, _) in states.items() if cause in causes}
        assert set(titles(panel, f"{lists}flt0_cause_is={cause}")) == named, cause
    assert set(titles(panel, f"{lists}view=failed")) == set(titles(panel, f"{lists}flt0_cause_is=failed"))
    assert set(titles(panel, f"{lists}view=failed")) == set(titles(panel, f"{lists}flt0_video_is=error"))
    assert set(titles(panel, f"{lists}view=stuck")) == set(titles(panel, f"{lists}flt0_cause_is=stuck"))
    shown = dashboard.overview("24h")
    assert sum(shown.needing.values()) == len(expected)
    gauge = re.findall(
        r"lessonadmin_lessons_needing_attention\{cause=.*\} ([\d.]+)", panel.get("/metrics").text
    )
    assert sum(map(float, gauge)) == len(expected)
    with_upload = {name for name in expected if not name.endswith("from before uploads")}
    assert f"{len(with_upload)} uploads" in page_of(panel.get("/admin/tracking/?view=needs-attention")).text()


@pytest.mark.parametrize("place", ["lesson", "course", "tracking"])
def test_a_cause_that_there_is_none_of_is_no_filter(app: Flask, place: str) -> None:
    make_lesson(title="Any")
    assert browser().get(f"/admin/{place}/?flt0_cause_is=nonsense").status_code == 200


def test_what_has_several_causes_counts_once_by_the_first(session: Session) -> None:
    lesson = failed("asset_errored")(make_lesson)
    make_tracking(lesson, status="cancelled", error_type="held", superseded_at=NOW)
    assert found(attention.ids(Lesson)) == [lesson.id]
    assert attention.why_many([lesson]) == {lesson.id: "Mux could not process the file"}
    counts = attention.count_by_cause()
    assert (counts["failed"], counts["held"]) == (1, 0)


def test_the_newest_of_every_cause_come_first_and_no_more_than_asked_for(session: Session) -> None:
    made = [failed("asset_errored")(make_lesson).id for _ in range(3)]
    held = make_lesson()
    make_tracking(held, status="cancelled", error_type="held", superseded_at=datetime.now(UTC))
    assert found(attention.newest_ids(Lesson, 2)) == [held.id, made[2]]
    assert found(attention.newest_ids(Lesson, 10)) == [held.id, *reversed(made)]


def test_so_many_are_looked_for_as_are_counted(session: Session) -> None:
    """Each cause gives as many as are asked for: so all together are at least as many, if there are."""
    for _ in range(3):
        make_tracking(failed("asset_errored")(make_lesson), status="cancelled", error_type="held")
    for rows in (attention.ids(Lesson, most=2), attention.upload_ids(most=2)):
        assert len(found(rows)) >= 2
    limits = [str(rows).count("LIMIT") for rows in (attention.ids(Lesson), attention.ids(Lesson, most=2))]
    assert limits[1] - limits[0] == len(attention.ALL)


@pytest.mark.parametrize("cause", attention.CAUSES)
def test_a_cause_of_the_own_columns_is_asked_of_each_in_the_same_words(
    session: Session, cause: attention.Cause
) -> None:
    for error in ("asset_errored", "deleted_at_mux", "no_playback_id"):
        failed(error)(make_lesson)
    each = attention.by_index_of_its_own(cause, Lesson)
    assert (each is not None) is (cause in ("deleted_at_mux", "unplayable", "failed"))
    if each is not None:
        assert (
            set(found(select(Lesson.id).where(each)))
            == set(found(attention.ids_with(cause, Lesson)))
            != set()
        )


def test_an_empty_page_asks_nothing(app: Flask) -> None:
    assert attention.why_many([]) == attention.why_uploads([]) == {}


def test_all_who_need_a_person_are_found_by_indexes(session: Session) -> None:
    for query in (
        attention.ids(Lesson),
        attention.ids(Course),
        select(Lesson.id).where(attention.needed(Lesson)).order_by(Lesson.id.desc()).limit(10),
        attention.upload_ids(),
    ):
        plan = plan_of(query)
        for line in plan.splitlines():
            if "Seq Scan" in line:
                assert " on reconcile_" in line or " on users" in line, plan
