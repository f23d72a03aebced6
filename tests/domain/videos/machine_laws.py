"""What must be true of every lesson after every step, and what must be true when nothing is on its way any more.

The laws read the database and what Mux holds; of the product's own rules they use none.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Course, Lesson, Tracking
from tests.domain.videos.mux_in_memory import MuxInMemory

Owner = Lesson | Course
OPEN = ("uploading", "processing")
PUBLICATION = (
    "lesson.published",
    "lesson.unpublished",
    "lesson.publish_requested",
    "lesson.publish_withdrawn",
)
SLACK_SECONDS = 60  # real time goes on, too
TYPING_SECONDS = 180  # a page that is not heard of for so long is closed


@dataclass(frozen=True)
class Ref:
    """A lesson or a course, outside any session."""

    kind: type[Lesson] | type[Course]
    id: uuid.UUID
    title: str


# what Mux holds -> the row's status
TRUTH = {"preparing": "processing", "ready": "ready", "errored": "error", "waiting": "uploading"}


class VideoLaws:
    """The book of laws, and the little memory that judging needs: what users asked for."""

    fake: MuxInMemory
    owners: list[Ref]
    intents: dict[uuid.UUID, bool | None]

    def begin(self) -> None:
        self.tickets: list[tuple[str, Ref]] = []
        self.foreign: set[str] = set()
        self.cancelled: set[str] = set()
        self.deleted: set[str] = set()
        self.undone: set[uuid.UUID] = set()
        self.withdrawn: set[str] = set()
        self.taken_over: set[str] = set()
        self.died = False
        self.played: dict[uuid.UUID, str] = {}
        self.passed = 0
        self.early: dict[uuid.UUID, tuple[int, int]] = {}
        self.ends: dict[uuid.UUID, int] = {}
        self.typing: dict[tuple[uuid.UUID, uuid.UUID], tuple[int, int]] = {}

    # what users asked for, read back from the database where a dying process left it open

    def now(self, ref: Ref) -> Owner:
        return db.session.get_one(ref.kind, ref.id, populate_existing=True)

    def stands(self, lesson_id: uuid.UUID) -> bool:
        db.session.rollback()
        now = db.session.get_one(Lesson, lesson_id, populate_existing=True)
        return now.status == "published" or now.publish_on_ready

    def note_cancelled(self, upload_id: str | None) -> None:
        query = select(Tracking.status).where(Tracking.upload_id == upload_id)
        if upload_id and db.session.scalar(query) == "cancelled":
            self.cancelled.add(upload_id)

    def note_deleted(self, owner_id: uuid.UUID, asset_id: str, shown: str | None) -> None:
        row = db.session.scalar(select(Tracking).where(Tracking.mux_asset_id == asset_id))
        if row is None or row.status not in ("deleting", "deleted"):
            return
        self.deleted.add(asset_id)
        if asset_id == shown and owner_id in self.intents:
            self.intents[owner_id] = False

    def note_dashboard(self, asset_id: str) -> None:
        """Whether the lesson loses its intent depends on when Lessonadmin hears of it."""
        for row in db.session.scalars(select(Tracking)):
            asset = self.fake.assets[asset_id]
            if row.upload_id == asset["upload_id"] and row.target_id in self.intents:
                self.intents[row.target_id] = None

    def note_typing(self, lesson_id: uuid.UUID, page_id: uuid.UUID) -> None:
        """How long the page counts as open, and how often the program has published the lesson so far."""
        self.typing[lesson_id, page_id] = (self.passed + TYPING_SECONDS, self.published_by_itself(lesson_id))

    def note_plan(self, lesson_id: uuid.UUID, begins: int | None, ends: int | None) -> None:
        """Until when the program publishes nothing, and from when on it takes back; in seconds that have passed."""
        if begins is not None:
            self.early[lesson_id] = (self.passed + 60 * begins, self.published_by_itself(lesson_id))
        if ends is not None:
            self.ends[lesson_id] = self.passed + 60 * ends

    def was_taken_back_in_time(self, lesson_id: uuid.UUID) -> bool:
        """The last thing that the program did with its publication, at a time that was planned."""
        row = db.session.scalar(
            select(AuditLog)
            .where(AuditLog.target_id == lesson_id, AuditLog.action.in_(PUBLICATION))
            .order_by(AuditLog.at.desc(), AuditLog.id.desc())
            .limit(1)
        )
        found = row is not None and row.detail.get("why") == "its time is over"
        assert not found or self.passed + SLACK_SECONDS >= self.ends.get(lesson_id, 0), (
            "taken back before its time"
        )
        return found

    def published_by_itself(self, lesson_id: uuid.UUID) -> int:
        rows = db.session.scalars(
            select(AuditLog).where(AuditLog.target_id == lesson_id, AuditLog.action == "lesson.published")
        )
        return sum(1 for row in rows if row.detail.get("by_itself"))

    def rows(self, owner: Owner) -> Sequence[Tracking]:
        column = Tracking.lesson_id if isinstance(owner, Lesson) else Tracking.course_id
        query = select(Tracking).where(column == owner.id).order_by(Tracking.created_at, Tracking.id)
        return db.session.scalars(query.execution_options(populate_existing=True)).all()

    def is_held(self, upload_id: str) -> bool:
        db.session.rollback()
        query = select(Tracking.error_type).where(Tracking.upload_id == upload_id)
        return db.session.scalar(query) == "held"

    # the laws

    def law_of_loss(self, giver: uuid.UUID) -> set[str]:
        """Unless the process died, no instructor who lost the right waits for a file any more; the uploads that were withdrawn."""
        db.session.rollback()
        rows = db.session.scalars(select(Tracking).execution_options(populate_existing=True)).all()
        if not self.died:
            theirs = [
                row for row in rows if row.started_by == giver != row.owner_id and row.superseded_at is None
            ]
            assert not [row for row in theirs if row.status == "uploading"], "they may still send a file"
        return {
            row.upload_id for row in rows if row.withdrawn_at is not None and row.upload_id
        } - self.taken_over

    def law_of_deletion(self, asset_id: str) -> None:
        """Nothing that plays is ever deleted at Mux by Lessonadmin, and nothing without an outbox row."""
        playing = db.session.scalar(
            text("SELECT count(*) FROM mux_asset_tracking WHERE mux_asset_id = :id AND status = 'ready'"
                 " AND superseded_at IS NULL"),
            {"id": asset_id},
        )  # fmt: skip
        promised = db.session.scalar(
            text("SELECT count(*) FROM asset_deletions WHERE mux_asset_id = :id AND done_at IS NULL"),
            {"id": asset_id},
        )
        db.session.rollback()
        held = "SELECT count(*) FROM mux_asset_tracking WHERE mux_asset_id = :id AND error_type = 'held' AND status = 'cancelled'"
        assert not db.session.scalar(text(held), {"id": asset_id}), (
            f"{asset_id} is held and was to be deleted"
        )
        db.session.rollback()
        assert not playing, f"{asset_id} plays and was to be deleted"
        assert promised, f"nobody promised that {asset_id} goes"

    def laws(self) -> None:
        db.session.rollback()
        for owner in self.owners:
            now = self.now(owner)
            rows = self.rows(now)
            self.law_of_rows(now, rows)
            self.law_of_columns(now, rows)
            self.law_of_playing(now)
            if isinstance(now, Lesson):
                self.law_of_publication(now)
        self.law_of_audit()
        self.law_of_promises()
        failed = db.session.scalar(text("SELECT count(*) FROM mux_events WHERE outcome = 'failed'"))
        assert failed == 0
        db.session.rollback()

    def law_of_promises(self) -> None:
        """What plays is not to be deleted: such a row could never be carried out."""
        wrong = db.session.scalars(
            text("SELECT d.mux_asset_id FROM asset_deletions d JOIN mux_asset_tracking t USING (mux_asset_id)"
                 " WHERE d.done_at IS NULL AND t.superseded_at IS NULL AND t.status = 'ready'")
        ).all()  # fmt: skip
        assert not wrong, f"{wrong} play and are to be deleted"

    def law_of_rows(self, owner: Owner, rows: Sequence[Tracking]) -> None:
        current = [row for row in rows if row.superseded_at is None]
        assert len([row for row in current if row.status == "ready"]) <= 1
        assert len([row for row in current if row.status in OPEN]) <= 1
        playing = any(row.status == "ready" for row in current)
        for row in rows:
            assert row.owner_id == owner.owner_id
            if row.status == "ready":
                assert None not in (row.mux_asset_id, row.mux_playback_id)
            if playing and row.superseded_at is None:
                assert row.status in ("ready", *OPEN), (
                    "what came to nothing beside a playing video is history"
                )
            if row.superseded_at is None and row.status in OPEN and row.upload_id:
                assert row.next_check_at is not None, "nobody watches this upload"

    def law_of_columns(self, owner: Owner, rows: Sequence[Tracking]) -> None:
        """The lesson shows the video that plays; nothing of a superseded upload is ever on it."""
        current = [row for row in rows if row.superseded_at is None]
        playing = next((row for row in current if row.status == "ready"), None)
        status = owner.video_processing_status
        assert (status == "ready") == (playing is not None)
        assert (owner.mux_playback_id is not None) == (playing is not None)
        if playing is not None:
            assert (owner.mux_asset_id, owner.mux_playback_id) == (
                playing.mux_asset_id,
                playing.mux_playback_id,
            )
        coming = next((row for row in current if row.status in OPEN), None)
        if playing is None and coming is not None:
            assert status == coming.status
        if owner.mux_asset_id is not None:
            assert owner.mux_asset_id in {row.mux_asset_id for row in current}

    def law_of_playing(self, owner: Owner) -> None:
        """What plays keeps playing, unless a user took it away or something newer plays."""
        before = self.played.pop(owner.id, None)
        if owner.video_processing_status == "ready" and owner.mux_asset_id:
            self.played[owner.id] = owner.mux_asset_id
        elif before is not None:
            assert before in self.deleted or before not in self.fake.assets, (
                f"{before} stopped playing for no reason"
            )

    def law_of_publication(self, lesson: Lesson) -> None:
        if lesson.status == "published":
            assert (lesson.video_processing_status, bool(lesson.published_at)) == ("ready", True)
            assert self.fake.ever_ready(lesson.mux_playback_id), "published, and Mux never confirmed it"
            assert not (lesson.mux_asset_id or "").startswith("temp_")
            assert not lesson.publish_on_ready, "an intent is spent when it is fulfilled"
        for (lesson_id, _), (until, before) in self.typing.items():
            if lesson_id == lesson.id and self.passed < until:
                assert self.published_by_itself(lesson_id) == before, "published while it was being edited"
        if lesson.id in self.early and self.passed + SLACK_SECONDS < self.early[lesson.id][0]:
            count = self.early[lesson.id][1]
            assert self.published_by_itself(lesson.id) == count, "published before its time"
        if self.intents.get(lesson.id) is False:
            assert (lesson.status, lesson.publish_on_ready) == ("draft", False), "a person was overruled"

    def law_of_audit(self) -> None:
        """As many rows as changes: retold from the audit trail, each lesson stands where it stands."""
        trail: dict[uuid.UUID, list[str]] = {}
        ready: Counter[tuple[uuid.UUID, str]] = Counter()
        for row in db.session.scalars(select(AuditLog).order_by(AuditLog.at, AuditLog.id)):
            if row.target_id is not None:
                trail.setdefault(row.target_id, []).append(row.action)
                if row.action == "video.ready":
                    ready[row.target_id, str(row.detail["asset_id"])] += 1
        assert all(count == 1 for count in ready.values()), "one video became ready twice"
        for lesson in [one for one in self.owners if one.kind is Lesson]:
            now = db.session.get_one(Lesson, lesson.id)
            status, intended = "draft", lesson.title == "One"
            for action in trail.get(lesson.id, []):
                if action == "lesson.published":
                    assert status == "draft", "published twice"
                    status, intended = "published", False
                elif action == "lesson.unpublished":
                    assert status == "published", "unpublished a draft"
                    status, intended = "draft", False
                elif action == "lesson.publish_requested":
                    assert (intended, status) == (False, "draft")
                    intended = True
                elif action == "lesson.publish_withdrawn":
                    assert (intended, status) == (True, "draft")
                    intended = False
            assert (now.status, now.publish_on_ready) == (status, intended)

    # when the dust has settled

    def laws_of_rest(self, *, whole: bool) -> None:
        wanted: set[str] = set()
        for owner in self.owners:
            now = self.now(owner)
            rows = self.rows(now)
            self.truth_of_rows(now, rows)
            wanted |= {row.mux_asset_id for row in rows if row.superseded_at is None and row.mux_asset_id}
            if isinstance(now, Lesson):
                self.truth_of_publication(now)
        self.truth_of_the_withdrawn(wanted)
        if not whole:
            return
        orphans = {one for one in self.fake.assets if one not in wanted} - self.unclaimed()
        assert not orphans, f"nobody wants {orphans}, and they are still at Mux"
        left = self.deleted & self.fake.assets.keys()
        assert not left, f"{left} were deleted by a person, and they are still at Mux"
        for table in ("asset_deletions", "upload_cancellations"):
            assert db.session.scalar(text(f"SELECT count(*) FROM {table} WHERE done_at IS NULL")) == 0, table  # noqa: S608 - names that the tests write

    def truth_of_the_withdrawn(self, wanted: set[str]) -> None:
        """Whatever arrived is held for staff, and no lesson knows of it."""
        rows = db.session.scalars(select(Tracking).where(Tracking.upload_id.in_(self.withdrawn)))
        for row in rows:
            assert row.superseded_at is not None
            asset_id = self.fake.uploads[row.upload_id or ""].get("asset_id")
            if asset_id in self.fake.assets and asset_id not in self.deleted:
                assert (row.status, row.error_type, row.mux_asset_id) == ("cancelled", "held", asset_id)
                wanted.add(asset_id)

    def unclaimed(self) -> set[str]:
        """Assets of uploads that were made elsewhere and that Lessonadmin was never told of."""
        tracked = set(
            db.session.scalars(text("SELECT upload_id FROM mux_asset_tracking WHERE upload_id IS NOT NULL"))
        )
        told = set(db.session.scalars(text("SELECT upload_id FROM upload_cancellations")))
        return {
            key for key, one in self.fake.assets.items()
            if one["upload_id"] in self.foreign and one["upload_id"] not in tracked | told
        }  # fmt: skip

    def truth_of_rows(self, owner: Owner, rows: Sequence[Tracking]) -> None:
        for row in rows:
            if row.upload_id is None:
                assert row.superseded_at is not None
                assert row.status == "error" or row.withdrawn_at is not None
            elif row.superseded_at is None:
                assert row.status in self.true_statuses(row), f"{row.upload_id} is {row.status}"
        attempts = [row for row in rows if row.upload_id is not None]
        latest = attempts[-1] if attempts else None
        if latest is None or owner.id in self.undone:
            return
        if latest.superseded_at is not None:
            assert self.true_statuses(latest) <= {"error", "cancelled", "deleting", "deleted"}
        if self.true_statuses(latest) == {"ready"}:
            assert owner.mux_asset_id == latest.mux_asset_id, (
                "the newest video that is ready is not the one that plays"
            )

    def true_statuses(self, row: Tracking) -> set[str]:
        """What this upload must be, by what Mux holds and what people did."""
        upload = self.fake.uploads[row.upload_id or ""]
        asset_id = upload.get("asset_id")
        if asset_id is not None and (asset_id in self.deleted or asset_id not in self.fake.assets):
            return {"deleting", "deleted", *(("cancelled",) if row.upload_id in self.cancelled else ())}
        if row.upload_id in self.cancelled:
            return {"cancelled"}
        if asset_id is None:
            return {TRUTH.get(upload["status"], "error")}
        asset = self.fake.assets[asset_id]
        plays = asset["status"] != "ready" or asset["playback_ids"]
        return {TRUTH[asset["status"]] if plays else "error"}

    def truth_of_publication(self, lesson: Lesson) -> None:
        intent = self.intents.get(lesson.id)
        plays = lesson.video_processing_status == "ready"
        for at in (lesson.publish_not_before, lesson.unpublish_at):
            assert at is None or at > datetime.now(UTC), "a time is over, and nothing came of it"
        if intent and self.was_taken_back_in_time(lesson.id):
            self.intents[lesson.id] = intent = False
        if intent is None:
            self.intents[lesson.id] = lesson.status == "published" or lesson.publish_on_ready
        elif intent:
            assert lesson.status == ("published" if plays else "draft")
            assert plays or lesson.publish_on_ready
