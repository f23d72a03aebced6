"""From a file to an upload URL: what is refused, what Mux gets, and what is left when it does not answer."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

from lessonadmin import mux
from lessonadmin.db import JOB, Actor, db
from lessonadmin.domain.errors import Conflict, Missing, Problem, TooLarge, Unavailable, WrongType
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Lesson, Tracking, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.uploads.direct_upload import File
from tests import trash
from tests.factories import make_course, make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.mark.parametrize(
    ("name", "stated", "kind"),
    [
        ("talk.mp4", "video/mp4", "video/mp4"),
        ("talk.MP4", None, "video/mp4"),
        ("talk.mov", "", "video/quicktime"),
        ("talk.mkv", "application/octet-stream", "video/x-matroska"),
        ("talk.mp4", "video/mp4; codecs=avc1", "video/mp4"),
        ("a.b.c.webm", None, "video/webm"),
    ],
)
def test_what_is_a_video(session: object, name: str, stated: str | None, kind: str) -> None:
    assert direct_upload.check_file(File(name=name, content_type=stated, size=1)) == kind


@pytest.mark.parametrize(
    ("file", "refusal"),
    [
        (File(name="talk.exe"), WrongType),
        (File(name="talk.mp4", content_type="image/png"), WrongType),
        (File(name="talk.txt", content_type="text/plain"), WrongType),
        (File(name="talk.mp4", size=0), WrongType),
        (File(name="talk.mp4", size=2000 * 1024 * 1024 + 1), TooLarge),
    ],
)
def test_what_is_refused_before_the_first_byte(mux_sim: MuxSim, file: File, refusal: type[Problem]) -> None:
    with pytest.raises(refusal):
        direct_upload.start(make_lesson(), file, actor=JOB)
    assert mux_sim.calls() == []


@pytest.mark.parametrize("kind", ["lesson", "course"])
def test_what_reaches_mux(mux_sim: MuxSim, kind: str) -> None:
    owner = make_lesson() if kind == "lesson" else make_course()
    ticket = mux_sim.upload(owner)
    sent = mux_sim.control.upload(ticket.upload_id)
    settings = sent["new_asset_settings"]
    note = json.loads(settings["passthrough"])
    (row,) = mux_sim.uploads(owner)
    assert note[f"{kind}_id"] == str(owner.id)
    assert len({"lesson_id", "course_id"} & set(note)) == 1
    assert len(settings["passthrough"]) <= 255
    assert settings["meta"]["external_id"] == str(row.id)
    assert (sent["cors_origin"], sent["timeout"]) == ("http://localhost", 259200)
    assert (settings["playback_policies"], settings["max_resolution_tier"]) == (["public"], "1080p")
    assert row.expires_at is not None
    assert abs(row.expires_at - row.created_at - timedelta(days=3)) < timedelta(seconds=5)
    assert ticket.upload_url.startswith("http")


def test_the_address_is_a_secret(mux_sim: MuxSim, caplog: pytest.LogCaptureFixture) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    assert ticket.upload_url not in repr(ticket)
    assert ticket.upload_url not in caplog.text
    found = db.session.scalar(
        text(
            "SELECT count(*) FROM mux_asset_tracking WHERE mux_asset_tracking::text LIKE '%' || :url || '%'"
        ),
        {"url": ticket.upload_url},
    )
    assert found == 0


FAULTS: dict[str, tuple[Callable[[MuxSim], object], type[Problem], str]] = {
    "500": (lambda w: w.control.fault("api", "status", status=500), Unavailable, "mux_unavailable"),
    "429": (lambda w: w.control.fault("api", "rate_limited"), Unavailable, "mux_unavailable"),
    "401": (lambda w: w.control.fault("api", "status", status=401), Unavailable, "mux_unavailable"),
    "reset": (lambda w: w.control.fault("api", "reset"), Unavailable, "mux_unavailable"),
    "html": (lambda w: w.control.fault("api", "html"), Unavailable, "mux_unavailable"),
    "400": (lambda w: w.control.fault("api", "status", status=400, message="No."), Conflict, "mux_refused"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mux_that_refuses_or_fails_leaves_the_lesson_as_it_was(mux_sim: MuxSim, fault: str) -> None:
    happen, problem, kind = FAULTS[fault]
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = mux_sim.lesson(lesson).mux_asset_id
    calls = len(mux_sim.calls())
    happen(mux_sim)
    with pytest.raises(problem) as refusal:
        mux_sim.upload(lesson)
    assert refusal.value.type == kind
    assert len(mux_sim.calls()) - calls == 1, "a create is never repeated"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_asset_id) == ("published", before)
    row = mux_sim.uploads(lesson)[-1]
    assert (row.status, row.error_type, row.superseded_at is not None) == (
        "error",
        "upload_not_created",
        True,
    )
    mux_sim.control.clear_faults()
    sweep.sweep()
    assert mux_sim.lesson(lesson).status == "published"


def test_a_wrong_token_is_an_outage_to_instructors(mux_sim: MuxSim) -> None:
    mux_sim.control.fault("api", "status", status=401)
    with pytest.raises(Unavailable, match="Uploads are unavailable right now"):
        mux_sim.upload(make_lesson())


def test_the_plans_limit_is_told_in_muxs_own_words(mux_sim: MuxSim) -> None:
    mux_sim.control.set_switch("free_plan", True)
    mux_sim.control.seed_assets(10)
    with pytest.raises(Conflict, match="limited to 10 assets") as refusal:
        mux_sim.upload(make_lesson())
    assert refusal.value.type == "quota"


def test_an_answer_that_was_lost_is_not_asked_for_again(mux_sim: MuxSim) -> None:
    """Mux made the upload, Lessonadmin never heard of it: no client has its address, so nothing comes of it."""
    lesson = make_lesson()
    mux_sim.control.fault("api", "reset", after=True)
    with pytest.raises(Unavailable):
        mux_sim.upload(lesson)
    mux_sim.control.clear_faults()
    assert [call["operation"] for call in mux_sim.calls()] == ["create_upload"]
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    mux_sim.upload(lesson)
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"


def test_a_lesson_that_is_deleted_while_mux_answers_gets_no_address(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = make_lesson()
    real = mux.create_upload

    def deleted_meanwhile(**asked: object) -> mux.Upload:
        made = real(**asked)  # type: ignore[arg-type]
        db.session.execute(delete(Lesson).where(Lesson.id == lesson.id))
        db.session.commit()
        return made

    monkeypatch.setattr(mux, "create_upload", deleted_meanwhile)
    with pytest.raises(Missing):
        direct_upload.start(lesson, File(name="a.mp4"), actor=JOB)
    (promised,) = db.session.scalars(select(UploadCancellation))
    sweep.sweep()
    assert mux_sim.control.upload(promised.upload_id)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("chosen", "language"),
    [({}, "de"), ({"caption_language": None}, None), ({"caption_language": "fr"}, "fr")],
)
def test_captions_of_which_nothing_is_said_are_in_the_language_of_the_course(
    mux_sim: MuxSim, chosen: dict[str, str | None], language: str | None
) -> None:
    course = make_course(language="de")
    for owner in (course, make_lesson(course=course)):
        ticket = direct_upload.start(owner, File(name="a.mp4", **chosen), actor=JOB)
        stored = select(Tracking.caption_language).where(Tracking.upload_id == ticket.upload_id)
        assert db.session.scalar(stored) == language
        inputs = mux_sim.control.upload(ticket.upload_id)["new_asset_settings"].get("inputs", [])
        assert [one["language_code"] for entry in inputs for one in entry["generated_subtitles"]] == ([language] if language else [])  # fmt: skip


def test_saying_that_the_bytes_are_in_is_a_hint_and_no_proof(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    told = direct_upload.bytes_are_in(lesson, ticket.upload_id, temp_asset_id="temp_9", actor=JOB)
    assert told == "uploading"
    (row,) = mux_sim.uploads(lesson)
    assert (row.temp_asset_id, row.mux_asset_id, row.bytes_in_at is not None) == ("temp_9", None, True)
    assert mux_sim.lesson(lesson).mux_asset_id is None
    assert len(mux_sim.calls()) == 1


def test_an_upload_of_another_program_is_taken_in_if_its_note_names_the_lesson(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    made = mux.create_upload(
        passthrough=mux.Passthrough(lesson_id=lesson.id), external_id="x", policy="public"
    )
    mux_sim.control.complete_upload(made.id)
    mux_sim.forget()
    told = direct_upload.bytes_are_in(lesson, made.id, temp_asset_id=None, actor=JOB)
    assert told in ("uploading", "processing")
    assert mux_sim.uploads(lesson)[0].upload_id == made.id


def test_and_not_if_it_names_another_lesson_or_none(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    foreign = mux.create_upload(
        passthrough=mux.Passthrough(lesson_id=other.id), external_id="x", policy="public"
    )
    for upload_id in (foreign.id, "unknown" * 6, "../assets", ""):
        with pytest.raises(Missing):
            direct_upload.bytes_are_in(lesson, upload_id, temp_asset_id=None, actor=JOB)
    assert mux_sim.uploads(lesson) == []


def test_another_lessons_upload_is_not_cancelled_through_mine(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    ticket = mux_sim.upload(other)
    with pytest.raises(Missing):
        direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    assert mux_sim.uploads(other)[0].status == "uploading"


def test_cancelling_twice_is_cancelling_once(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    for _ in range(2):
        assert (
            direct_upload.cancel(ticket.upload_id, lesson, actor=Actor.user(lesson.creator_id)) == "cancelled"
        )
    assert mux_sim.actions(lesson.id).count("video.upload_cancelled") == 1
    sweep.sweep()
    sweep.sweep()
    assert [call["operation"] for call in mux_sim.calls()] == ["create_upload", "cancel_upload"]


def test_cancelling_the_current_upload_leaves_the_video_that_plays(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel_current(lesson, actor=JOB)
    assert [row.status for row in mux_sim.uploads(lesson)] == ["ready", "cancelled"]
    direct_upload.cancel_current(lesson, actor=JOB)
    assert mux_sim.actions(lesson.id).count("video.upload_cancelled") == 1
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "waiting", "Mux is told by a job"


def test_what_is_cancelled_at_once_is_cancelled_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    assert direct_upload.cancel_at_once(ticket.upload_id, lesson, actor=actor) == "cancelled"
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "cancelled"


def test_cancelling_what_is_processed_deletes_the_asset(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert direct_upload.cancel(upload_id, lesson, actor=JOB) == "cancelled"
    sweep.sweep()
    [asset] = mux_sim.control.assets()
    assert asset["status"] == "preparing", "Mux deletes nothing that it still prepares"
    mux_sim.control.set_asset_ready(asset["id"])
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "draft"
    sweep.sweep()
    assert mux_sim.control.assets() == []


def test_what_is_ready_is_not_cancelled(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert direct_upload.cancel(upload_id, lesson, actor=JOB) == "ready"
    assert mux_sim.lesson(lesson).status == "published"


def test_with_signing_keys_the_policy_is_signed(mux_sim: MuxSim) -> None:
    with overridden(mux_signing_key_id="k", mux_signing_private_key="p"):
        lesson = make_lesson()
        ticket = mux_sim.upload(lesson)
        sent = mux_sim.control.upload(ticket.upload_id)["new_asset_settings"]
        assert sent["playback_policies"] == ["signed"]
        mux_sim.control.complete_upload(ticket.upload_id)
        mux_sim.deliver()
    assert mux_sim.lesson(lesson).playback_policy == "signed"


def test_a_new_attempt_after_a_failure_starts_afresh(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.control.error_upload(mux_sim.upload(lesson).upload_id)
    mux_sim.deliver()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_error_type) == ("published", None)


def test_an_owner_that_changes_hands_takes_its_uploads_along(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    mux_sim.upload(lesson)
    db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(creator_id=other.creator_id))
    db.session.commit()
    assert mux_sim.uploads(lesson)[0].owner_id == other.creator_id
    mux_sim.control.complete_upload(mux_sim.uploads(lesson)[0].upload_id or "")
    mux_sim.deliver()
    assert mux_sim.notices(other.creator_id) == ["lesson_published"]


def test_deleting_the_lesson_while_uploading_cancels_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    trash.delete(lesson)
    sweep.sweep()
    assert mux_sim.control.upload(ticket.upload_id)["status"] == "cancelled"
    trash.end(lesson)
    assert db.session.scalar(select(func.count()).select_from(Tracking)) == 0


def test_the_lesson_or_course_of_an_upload_is_found_for_those_who_may_change_it(mux_sim: MuxSim) -> None:
    instructor = make_user()
    for owner in (make_lesson(creator=instructor), make_course(instructor=instructor)):
        upload_id = mux_sim.upload(owner).upload_id
        assert direct_upload.owner_to_change(instructor, upload_id).id == owner.id
        assert direct_upload.owner_to_change(make_user(role="support"), upload_id).id == owner.id
        with pytest.raises(Missing):
            direct_upload.owner_to_change(make_user(), upload_id)
    with pytest.raises(Missing):
        direct_upload.owner_to_change(instructor, "nobody's")
