"""One writer: no module but these changes the state of a video, of a publication, or the audit trail."""

from collections.abc import Iterator

from devstack.places import ROOT
from tests.cases import each_of
from tests.structure.one_writer import AUDIT, GUARDED, PUBLICATION, UNREADABLE, VIDEO, writes

PRODUCT = ROOT / "lessonadmin"
WRITERS = {
    "domain/videos/transitions.py": VIDEO | {UNREADABLE},
    "domain/videos/publication.py": PUBLICATION,
    "domain/audit/audit_log.py": {AUDIT},
}
# (module, function, column): why this is no second writer
EXCEPTIONS = {
    (
        "domain/lessons/lessons.py",
        "_store",
        "publish_on_ready",
    ): "a lesson is born with its intent, in `lesson.created`",
    (
        "domain/accounts/handover.py",
        "_move",
        UNREADABLE,
    ): "the key is the teacher's column of a lesson or a course",
    ("domain/batches/batches.py", "create", "status"): "of a bulk action",
    ("domain/batches/batches.py", "stop", "status"): "of a bulk action",
    ("domain/batches/batches.py", "resume", "status"): "of a bulk action",
    ("domain/batches/leases.py", "free_expired", "status"): "of an item of a bulk action",
    ("mux/request.py", "__init__", "status"): "of an HTTP answer",
    ("mux/request.py", "send", "status"): "of an HTTP answer",
    ("mux/errors.py", "__init__", "status"): "of an HTTP answer",
    ("mux/text_tracks.py", "read_captions", "status"): "of an HTTP answer",
}


def modules() -> Iterator[tuple[str, str]]:
    for file in sorted(PRODUCT.rglob("*.py")):
        yield file.relative_to(PRODUCT).as_posix(), file.read_text()


def found_in(path: str, source: str) -> list[tuple[str, str, str, int]]:
    return [
        (path, one.function, one.column, one.line)
        for one in writes(source)
        if one.column not in WRITERS.get(path, set())
    ]


def test_only_the_writers_change_a_state() -> None:
    found = [one for path, source in modules() for one in found_in(path, source)]
    assert [one for one in found if one[:3] not in EXCEPTIONS] == []
    assert {one[:3] for one in found} == set(EXCEPTIONS), "an exception that nothing needs any more"


def test_the_writers_are_seen_to_write() -> None:
    """Else the walk would find nothing because it looks at nothing."""
    seen = {path: {one.column for one in writes(source)} for path, source in modules() if path in WRITERS}
    assert seen.keys() == WRITERS.keys()
    assert seen["domain/videos/publication.py"] == PUBLICATION
    assert seen["domain/audit/audit_log.py"] == {AUDIT}
    assert VIDEO - seen["domain/videos/transitions.py"] <= {
        "mux_asset_id",
        "mux_preview_asset_id",
        "mux_preview_playback_id",
        "video_processing_status",
        "video_duration",
        "video_error_type",
        "video_error_message",
        "needs_attention_at",
    }, "these are written by name, in `_learn` and `_show`"


@each_of(
    ("planted", "column"),
    [
        ("row.status = 'error'", "status"),
        ("row.attention_at: object = now", "attention_at"),
        ("row.status, row.error_type = 'error', 'asset_errored'", "error_type"),
        ("(first, [row.mux_asset_id, *rest]) = ids", "mux_asset_id"),
        ("found[1].mux_playback_id = chosen.id", "mux_playback_id"),
        ("video.owner.video_duration += 1", "video_duration"),
        ("row.error_message += '.'", "error_message"),
        ("old.superseded_at = old.superseded_by = None", "superseded_by"),
        ("for lesson.needs_attention_at in times: pass", "needs_attention_at"),
        ("with opened() as lesson.published_at: pass", "published_at"),
        ("del row.playback_policy", "playback_policy"),
        ("setattr(lesson, 'publish_on_ready', True)", "publish_on_ready"),
        ("setattr(lesson, name, True)", UNREADABLE),
        ("Tracking(lesson_id=lesson.id, status='ready')", "status"),
        ("models.Lesson(video_error_type='x')", "video_error_type"),
        ("Tracking(**columns)", UNREADABLE),
        ("videos.new_row(video, status='ready')", "status"),
        ("update(Tracking).where(Tracking.id == one).values(status='ready')", "status"),
        ("update(Tracking).values({'upload_id': None})", "upload_id"),
        ("update(models.Course).values({Course.mux_preview_asset_id: None})", "mux_preview_asset_id"),
        ("update(Lesson).values(**columns)", UNREADABLE),
        ("update(Lesson).values({column: None})", UNREADABLE),
        ("update(model).values(video_processing_status='none')", "video_processing_status"),
        ("Lesson.__table__.update().values(status='draft')", "status"),
        ("insert(Tracking).values(mux_asset_id=asset_id)", "mux_asset_id"),
        ("insert(Tracking).on_conflict_do_update(set_={'status': 'ready'})", "status"),
        ("session.query(Lesson).update({'video_error_message': None})", "video_error_message"),
        ("text('UPDATE lessons SET version = 2, status = :status')", "status"),
        (
            "text('update only mux_asset_tracking as t set superseded_at = now() where id = 1')",
            "superseded_at",
        ),
        ("text(f'UPDATE {table} SET mux_preview_playback_id = NULL')", "mux_preview_playback_id"),
        ("text(f'UPDATE courses SET {column} = NULL')", UNREADABLE),
        ("text('WITH a AS (SELECT 1) INSERT INTO lessons (id) SELECT 1')", UNREADABLE),
        ("text('INSERT INTO audit_log (action) VALUES (1)')", AUDIT),
        ("text(f'WITH moved AS (SELECT 1) INSERT  INTO audit_log {columns}')", AUDIT),
        ("session.add(AuditLog(action='lesson.published'))", AUDIT),
        ("session.execute(insert(AuditLog), rows)", AUDIT),
    ],
)
def test_a_planted_second_writer_is_found(planted: str, column: str) -> None:
    source = dict(modules())["domain/notifications/notices.py"]
    assert found_in("domain/notifications/notices.py", source) == []
    second = f"{source}\n\ndef second() -> None:\n    {planted}\n"
    found = found_in("domain/notifications/notices.py", second)
    assert ("domain/notifications/notices.py", "second", column) in [one[:3] for one in found]


HANDING_ON = """
def _claimed(which, **more):
    _change(ids, next_check_at=soon, **more)

def _change(ids, **values):
    update(Tracking).where(Tracking.id.in_(ids)).values(updated_at=Tracking.updated_at, **values)

def caller():
    _claimed(which, {}=None)
"""


def test_keywords_are_followed_to_where_they_are_given() -> None:
    assert writes(HANDING_ON.replace("{}", "handed_over_at")) == []
    (found,) = writes(HANDING_ON.replace("{}", "superseded_at"))
    assert (found.function, found.column) == ("caller", "superseded_at")
    (found,) = writes(HANDING_ON.replace("{}=None", "**row"))
    assert (found.function, found.column) == ("caller", UNREADABLE)


@each_of(
    "harmless",
    [
        "if row.status == 'ready' and row.superseded_at is None: pass",
        "News(happening=happening, playback_id=chosen.id, policy=chosen.policy)",
        "videos.new_row(video, upload_id=upload.id, mux_asset_id=asset.id, outside=True)",
        "update(AssetDeletion).values(done_at=now, last_error=None)",
        "insert(UploadCancellation).values(upload_id=upload_id)",
        "text('SELECT status FROM lessons WHERE status = 1')",
        "text('UPDATE lessons SET version = 2 RETURNING id')",
        "row.bytes_in_at = row.next_check_at = None",
    ],
)
def test_what_changes_no_state_is_let_be(harmless: str) -> None:
    assert writes(harmless) == []


def test_every_guarded_column_is_a_column() -> None:
    """A name that the tables no longer have guards nothing."""
    from lessonadmin.domain.models import Course, Lesson, Tracking

    known = {
        name
        for model in (Course, Lesson, Tracking)
        for column in model.__table__.columns
        for name in (column.name, column.key)
    }
    assert known >= GUARDED
