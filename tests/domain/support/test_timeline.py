"""The timeline of a lesson: everything that happened, in its order, in a bounded number of queries, fit for a ticket."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import registry, scheduling
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.support import notes, timeline
from tests.factories import make_course, make_event, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.queries import counted
from tests.settings import overridden


def words(story: timeline.Timeline) -> list[str]:
    return [f"{entry.source}: {entry.what}" for entry in story.entries]


def test_the_whole_story_of_a_lesson_in_order(mux_sim: MuxSim) -> None:
    staff = make_user(role="support")
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    with transaction(Actor.user(staff.id)):
        notes.add(staff, lesson.id, "The teacher phoned.")
    actor = Actor.user(staff.id, reason="ticket 7")
    scheduling.run_now(registry.find("lesson", "recheck"), [lesson.id], actor=actor)
    scheduling.run_now(registry.find("lesson", "clear_asset"), [lesson.id], actor=actor)
    sweep.sweep()
    story = timeline.timeline_of("lesson", lesson.id)
    assert story.older is None
    told = words(story)
    for expected in (
        "audit: Upload started",
        "call: Requested an upload address from Mux",
        "event: Event video.upload.asset_created",
        "audit: The video is ready",
        "audit: Published",
        "note: Note",
        "call: Checked video with Mux",
        "audit: Deletion of the video requested",
        "audit: Moved to draft",
        "audit: The video is deleted",
    ):
        assert expected in told, told
    assert told.index("audit: Upload started") < told.index("audit: Published") < told.index("note: Note")
    assert told.index("note: Note") < told.index("audit: The video is deleted")
    assert any(entry.startswith("notice: Notified instructor") for entry in told)
    assert any(entry.startswith("promise: Done: deletion at Mux") for entry in told)
    times = [entry.at for entry in story.entries]
    assert times == sorted(times)
    cleared = next(entry for entry in story.entries if entry.what == "Deletion of the video requested")
    assert cleared.who == staff.email
    assert "ticket 7" in cleared.detail
    assert "by bulk action" in cleared.detail


def test_the_story_of_a_course(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    told = words(timeline.timeline_of("course", course.id))
    assert "audit: The video is ready" in told
    assert any(entry.startswith("notice: Notified") for entry in told)


def test_what_went_wrong_is_marked(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        actor = Actor.user(make_user(role="support").id)
        scheduling.run_now(registry.find("lesson", "recheck"), [lesson.id], actor=actor)
    mux_sim.control.error_upload(ticket.upload_id)
    mux_sim.deliver()
    make_event(
        type="video.asset.ready", target_id=lesson.id, outcome="failed", error="LookupError: x", attempts=3
    )
    bad = {entry.what for entry in timeline.timeline_of("lesson", lesson.id).entries if entry.bad}
    assert bad >= {"The video failed", "Checked with Mux: network", "Event video.asset.ready"}


def with_many_rows(lesson: Lesson, count: int) -> None:
    with transaction(Actor("job")):
        for number in range(count):
            audit_log.record("lesson.updated", lesson, number=number)


def test_it_is_bounded_and_goes_on_by_page(session: Session) -> None:
    lesson = make_lesson()
    with_many_rows(lesson, 25)
    seen: list[str] = []
    before: datetime | None = None
    pages = 0
    while True:
        story = timeline.timeline_of("lesson", lesson.id, before=before, limit=10)
        assert len(story.entries) <= 11
        seen = [entry.detail for entry in story.entries] + seen
        pages += 1
        if story.older is None:
            break
        before = story.older
    assert pages == 3
    assert seen == [f"number: {number}" for number in range(25)]


def test_it_takes_few_queries_however_much_happened(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    with_many_rows(lesson, 100)
    with counted() as statements:
        timeline.timeline_of("lesson", lesson.id)
    assert len(statements) <= 6


def test_as_text_for_a_ticket_without_secrets(mux_sim: MuxSim) -> None:
    lesson = make_lesson(title="Physics")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    secret = "https://direct-uploads.mux.example/upload/1?token=eyJhbGciOi"
    make_event(
        type="video.asset.ready", target_id=lesson.id, outcome="failed", error=f"LookupError: {secret}"
    )
    with transaction(Actor("job")):
        audit_log.record("lesson.updated", lesson, note=f"see {secret}\nand\x07 more", token="Bearer abc.def")
    db.session.execute(
        update(Tracking).values(last_look_error=f"network: {secret}", last_look_at=func.clock_timestamp())
    )
    db.session.commit()
    told = timeline.as_text(mux_sim.lesson(lesson), timeline.timeline_of("lesson", lesson.id))
    assert told.startswith(f"Lesson {lesson.id}: Physics\n")
    assert "eyJ" not in told
    assert "network" not in told, "the category is for programs"
    assert "abc.def" not in told
    assert "direct-uploads.mux.example" not in told
    assert "\x07" not in told
    assert "published" in told.splitlines()[2]
    stamps = [line[:19] for line in told.splitlines()[5:]]
    assert stamps == sorted(stamps)
    assert all(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for stamp in stamps)
    assert "Published" in told


def test_a_lesson_that_is_gone_still_has_its_story(session: Session) -> None:
    lesson = make_lesson()
    with_many_rows(lesson, 1)
    with transaction(Actor("cli")):
        audit_log.record("lesson.deleted", lesson)
        db.session.delete(db.session.get_one(Lesson, lesson.id))
    assert words(timeline.timeline_of("lesson", lesson.id)) == [
        "audit: Changed the lesson",
        "audit: Deleted the lesson",
    ]


def test_nothing_happened(session: Session) -> None:
    lesson = make_lesson()
    assert timeline.timeline_of("lesson", lesson.id) == timeline.Timeline((), None)
    assert "Earlier entries" not in timeline.as_text(lesson, timeline.timeline_of("lesson", lesson.id))


def test_a_late_event_says_how_late(session: Session) -> None:
    lesson = make_lesson()
    make_event(
        target_id=lesson.id,
        outcome="applied",
        occurred_at=datetime.now(UTC) - timedelta(seconds=90),
        attempts=1,
    )
    (entry,) = timeline.timeline_of("lesson", lesson.id).entries
    assert "90 s after it happened" in entry.detail
    assert db.session.scalar(text("SELECT count(*) FROM mux_events")) == 1


def test_checks_in_a_row_are_told_once(session: Session) -> None:
    lesson = make_lesson()
    for outcome, detail in [("ok", "upload_waiting")] * 3 + [
        ("network", "x"),
        ("ok", "upload_waiting"),
        ("ok", "asset_seen"),
    ]:
        with transaction(Actor("job")):
            audit_log.record_mux_call("lesson", lesson.id, "get_upload", outcome, detail)
    story = timeline.timeline_of("lesson", lesson.id)
    assert len(story.entries) == 6, "a ticket has each"
    assert [(one.title, one.detail, one.who) for one in story.folded] == [
        ("Checked upload with Mux 3 times", "Mux waits for the file", "system"),
        ("Checked upload with Mux: network", "x", "system"),
        ("Checked upload with Mux", "Mux waits for the file", "system"),
        ("Checked upload with Mux", "Mux is preparing the video", "system"),
    ]
    assert story.folded[0].at == story.entries[2].at, "the time is that of the last"


def test_long_ids_are_told_apart_from_words() -> None:
    asset = "x" * 44
    entry = timeline.Entry(
        datetime.now(UTC), "audit", "Mux (webhook)", "Ready", f"asset: {asset}; found by a message of Mux"
    )
    assert entry.pieces == (("asset: ", False), (asset, True), ("; found by a message of Mux", False))
    assert entry.by_mux
