"""Support pastes anything: the one thing that an id names, else everything that the words fit, each with why."""

import uuid
from typing import Any

import pytest

from lessonadmin.domain.models import AssetDeletion, Batch, Course, ErrorReference, Lesson, WaitingEvent
from lessonadmin.domain.support import lookup
from lessonadmin.domain.support.lookup import Hit
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.queries import asked, plans_of

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def things() -> dict[str, Any]:
    """One of everything that can be found, by name."""
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    lesson = make_playing_lesson(
        creator=ada, title="Circles and lines", mux_asset_id="as1", mux_playback_id="pb1"
    )
    upload = make_tracking(
        lesson, upload_id="up1", temp_asset_id="temp_up1", mux_asset_id="as0", status="cancelled"
    )
    course = make_course(
        instructor=ada, title="Drawing", mux_asset_id="as2", mux_playback_id="pb2", video_processing_status="ready"
    )  # fmt: skip
    make_tracking(course, upload_id="up2", mux_asset_id="as3", status="cancelled")
    return {
        "user": ada,
        "lesson": lesson,
        "tracking": upload,
        "course": course,
        "event": make_event(mux_event_id="ev-1", target_type="lesson", target_id=lesson.id, object_id="as1"),
        "stray": make_event(mux_event_id="ev-2", object_id="as-nobody", outcome="unmatched"),
        "batch": keep(Batch(action="publish")),
        "deletion": keep(AssetDeletion(mux_asset_id="as-deleted")),
    }


@pytest.mark.parametrize("kind", ["user", "lesson", "tracking", "course", "event", "batch", "deletion"])
@pytest.mark.parametrize("written", ["{}", "  “{}” ", "'{}'", "<{}>"])
def test_everything_is_found_by_its_own_id(things: dict[str, Any], kind: str, written: str) -> None:
    wanted = things[kind].id
    for text in (str(wanted), str(wanted).upper()):
        found = lookup.find(written.format(text)).single
        assert found is not None
        assert (found.kind, found.id) == (kind, wanted)
        assert found.why == ("Account exists: instructor, since" if kind == "user" else "by its id")


@pytest.mark.parametrize(
    ("text", "kind", "name", "why"),
    [
        *((text, "lesson", "lesson", "by an id of its video") for text in ("as1", "pb1", "up1", "temp_up1", "as0")),
        *((text, "course", "course", "by an id of its video") for text in ("as2", "pb2", "up2", "as3")),
        ("ev-1", "event", "event", "by its id at Mux"),
        ("as-nobody", "event", "stray", "is about this id"),
        ("as-deleted", "deletion", "deletion", "its asset is to be deleted"),
        ("ADA@school.example", "user", "user", "Account exists: instructor, since"),
        ("circl lin", "lesson", "lesson", "by ada@school.example"),
        ("DRAW", "course", "course", "by ada@school.example"),
        ("lovel", "user", "user", "Account exists: instructor, since"),
    ],
)  # fmt: skip
def test_one_thing_fits(things: dict[str, Any], text: str, kind: str, name: str, why: str) -> None:
    found = lookup.find(text).single
    assert found is not None
    assert (found.kind, found.id, found.why) == (kind, things[name].id, why)


@pytest.mark.parametrize("kind", ["user", "lesson", "tracking", "course", "event", "batch", "deletion"])
def test_everything_is_found_by_the_beginning_of_its_id(things: dict[str, Any], kind: str) -> None:
    """Keys that are made within a minute begin alike: all of them are shown."""
    wanted = str(things[kind].id)
    for text in (wanted[:8], wanted[:13].upper(), wanted[:20] + "…", wanted.replace("-", "")[:31]):
        assert things[kind].id in [hit.id for hit in lookup.find(text).hits]
    assert lookup.find(wanted[:7]).hits == ()


@pytest.mark.parametrize(
    "text",
    [
        "https://school.example/lessons/{lesson}/edit?x=1#video", "/catalog/{lesson}", "school.example/catalog/{lesson}",
        "/admin/lesson/details/?id={lesson}", "/api/lessons/{lesson}/playback", "/api/x?lesson_id={lesson}&attempt=3",
        "https://dashboard.mux.com/organizations/ab12cd/environments/ef34gh/video/assets/asset-0123456789abcdef/monitor",
        "https://image.mux.com/playback-0123456789abcdef/thumbnail.jpg?width=640&token=a.b.c",
        "https://stream.mux.com/playback-0123456789abcdef.m3u8", "https://api.mux.com/video/v1/uploads/upload-0123456789abcdef",
    ],
)  # fmt: skip
def test_addresses_of_ours_and_of_mux(text: str) -> None:
    lesson = make_playing_lesson(
        mux_asset_id="asset-0123456789abcdef", mux_playback_id="playback-0123456789abcdef"
    )
    make_tracking(lesson, upload_id="upload-0123456789abcdef", status="cancelled")
    found = lookup.find(text.format(lesson=lesson.id)).single
    assert found is not None
    assert (found.kind, found.id) == ("lesson", lesson.id)


def test_a_webhook_that_waits_to_be_applied_is_found_by_either_id() -> None:
    waits = keep(WaitingEvent(mux_event_id="ev-waits", body=b"{}"))
    for text in ("ev-waits", str(waits.id)):
        found = lookup.find(text).single
        assert found is not None
        assert (found.kind, found.id, found.at) == ("waiting", waits.id, waits.received_at)


def test_an_error_is_found_by_the_reference_that_its_page_shows() -> None:
    stu = make_user(role="student", email="stu@school.example")
    keep(ErrorReference(reference="0af1" * 8, route="GET /catalog", kind="KeyError", user_id=stu.id))
    found = lookup.find("0af1" * 8).single
    assert found is not None
    assert (found.kind, found.title, found.why) == ("error", "KeyError at GET /catalog", "stu@school.example")


def test_an_asset_of_two_lessons_names_both(things: dict[str, Any]) -> None:
    other = make_lesson(mux_asset_id="as1")
    found = lookup.find("as1")
    assert {hit.id for hit in found.of("lesson")} == {things["lesson"].id, other.id}
    assert found.single is None


def test_words_are_looked_for_only_if_no_id_fits(things: dict[str, Any]) -> None:
    make_lesson(title="About as1")
    assert [hit.id for hit in lookup.find("as1").hits] == [things["lesson"].id]
    assert len(lookup.find("about as1").hits) == 1


def test_everything_that_the_words_fit_in_groups_and_no_more_than_ten_of_a_kind() -> None:
    make_course(title="Circles")
    make_user(name="Circles Smith")
    newest = [make_lesson(title=f"Circles {number}").id for number in range(12)][::-1]
    found = lookup.find("circles")
    assert [hit.kind for hit in found.hits] == ["lesson"] * lookup.MAX_OF_A_KIND + ["course", "user"]
    assert [hit.id for hit in found.of("lesson")] == newest[: lookup.MAX_OF_A_KIND]
    assert found.single is None


@pytest.mark.parametrize(
    "text",
    ["", " ", "“”", "nothing such", "%", "\\", "'", "&|!()", "x" * 5000, "😀", "01a1fc30-4459-7d2e-be8a-be56dc97f121",
     "@", "a@b@c", "https://[", "/", "?", "http://x/?q=%zz", "a/b/c"],
)  # fmt: skip
def test_odd_texts_find_nothing(things: dict[str, Any], text: str) -> None:
    assert lookup.find(text).hits == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [(" as1\n", "as1"), ("“as1”", "as1"), ("'<as1>'", "as1"), ('" as1 "', "as1"), ("x" * 301, "x" * 300)],
)
def test_what_was_copied_along_is_taken_off(text: str, meant: str) -> None:
    assert lookup.tidy(text) == meant


def test_an_id_is_looked_up_by_indexes_and_kinds_share_a_statement() -> None:
    """PostgreSQL answers each part of a UNION ALL by itself."""
    with asked() as sent:
        lookup.find("01a1fc30-4459-7d2e-be8a-be56dc97f121")
    joined = [(statement, values) for statement, values in sent if "UNION ALL" in statement]
    assert len(joined) == 3, "by the local id, by what belongs to it, by all other ids"
    for plan in plans_of(joined):
        for table in (
            "lessons",
            "courses",
            "mux_asset_tracking",
            "mux_events",
            "waiting_events",
            "error_references",
        ):
            assert f"Seq Scan on {table}" not in plan, plan


def test_what_waits_comes_before_what_an_id_belongs_to_and_an_error_after_all() -> None:
    reference = "the-same-for-all"
    keep(ErrorReference(reference=reference, route="GET /catalog", kind="KeyError"))
    assert [(hit.kind, hit.why) for hit in lookup.find(reference).hits] == [("error", "not signed in")]
    about = [make_event(object_id=reference) for _ in range(lookup.MAX_OF_A_KIND + 1)]
    keep(AssetDeletion(mux_asset_id=reference))
    kinds = [hit.kind for hit in lookup.find(reference).hits]
    assert kinds == ["deletion", *["event"] * lookup.MAX_OF_A_KIND]
    lesson = make_lesson(mux_asset_id=reference)
    assert [hit.id for hit in lookup.find(reference).hits] == [lesson.id]
    named = make_event(mux_event_id=reference)
    assert [hit.id for hit in lookup.find(reference).hits] == [named.id]
    assert named.id not in {one.id for one in about}
    waits = keep(WaitingEvent(mux_event_id=reference, body=b"{}"))
    assert [hit.id for hit in lookup.find(reference).hits] == [waits.id]


# Ids for the filters of lists


@pytest.mark.parametrize(
    "text", ["as1", "pb1", "up1", "temp_up1", "as0", "ev-1", "{lesson}", "{tracking}", " “up1” "]
)
def test_lessons_that_an_id_of_any_kind_names(things: dict[str, Any], text: str) -> None:
    named = text.format(**{name: one.id for name, one in things.items()})
    assert lookup.lesson_ids(named) == [things["lesson"].id], "each once"
    assert lookup.course_ids(named) == []


@pytest.mark.parametrize("text", ["as2", "pb2", "up2", "as3", "{course}"])
def test_courses_likewise(things: dict[str, Any], text: str) -> None:
    named = text.format(course=things["course"].id)
    assert (lookup.course_ids(named), lookup.lesson_ids(named)) == ([things["course"].id], [])


@pytest.mark.parametrize("text", ["", "circles", "as1 pb1", "ev-2", "as-nobody", "as-deleted"])
def test_words_and_foreign_ids_name_no_lesson(things: dict[str, Any], text: str) -> None:
    assert (lookup.lesson_ids(text), lookup.course_ids(text)) == ([], [])


@pytest.mark.parametrize(
    ("text", "found"), [("up1", True), ("as0", True), ("temp_up1", True), ("as2", False), ("", False)]
)
def test_uploads_that_an_id_names(things: dict[str, Any], text: str, found: bool) -> None:
    assert lookup.upload_ids(text) == ([things["tracking"].id] if found else [])


@pytest.mark.parametrize("text", ["ev-1", "{event}"])
def test_events_by_either_id(things: dict[str, Any], text: str) -> None:
    assert lookup.event_ids(text.format(event=things["event"].id)) == [things["event"].id]
    assert lookup.event_ids("as1") == []


def test_accounts_by_address_before_words() -> None:
    ada, other = make_user(email="ada@school.example"), make_user(email="b@school.example", name="Ada Ada")
    assert lookup.account_ids(" ADA@school.example ") == [ada.id]
    assert set(lookup.account_ids("ada")) == {ada.id, other.id}
    assert lookup.account_ids("!!") == []
    unknown = uuid.uuid4()
    assert lookup.account_ids(str(unknown)) == [unknown], "an id is taken as it is"


def test_courses_by_id_or_words_of_the_title() -> None:
    drawing, painting = make_course(title="Drawing circles"), make_course(title="Painting circles")
    assert set(lookup.titled_course_ids("circ")) == {drawing.id, painting.id}
    assert lookup.titled_course_ids("circ draw") == [drawing.id]
    assert lookup.titled_course_ids(str(painting.id)) == [painting.id]
    assert lookup.titled_course_ids("!!") == []


@pytest.mark.parametrize("model", [Lesson, Course])
def test_a_hit_has_the_title(model: type[Lesson] | type[Course]) -> None:
    made = make_lesson(title="Rye") if model is Lesson else make_course(title="Rye")
    assert lookup.find(str(made.id)).hits == (Hit(made.kind, made.id, "Rye", "by its id"),)
