"""The whole domain as a Hypothesis state machine: people, Mux, time, lost and doubled webhooks, dying processes.

`VideoMachine` does what may happen; `VideoLaws` (in `machine_laws`) says what must hold after each step and when the dust
has settled. Mux is kept in memory, PostgreSQL is real.
"""

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event, select, text

from lessonadmin import mux
from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.accounts import handover
from lessonadmin.domain.batches.actions import take_over_files
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Course, Lesson, MuxEvent, Tracking, User
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, removal
from lessonadmin.domain.webhooks import applier, inbox
from tests.domain.videos.machine_laws import Ref, VideoLaws
from tests.domain.videos.mux_in_memory import TROUBLES, Killed, MuxInMemory, installed
from tests.mux_sim import store

Owner = Lesson | Course
FILE = direct_upload.File(name="talk.mp4", size=1000)
PAGES = (uuid.UUID(int=1), uuid.UUID(int=2))
MINUTES = st.sampled_from([None, 10, 70, 200])
PLACES = st.integers(0, 5)
OWNERS = st.sampled_from([0, 0, 0, 0, 1, 2])  # most of it happens to one lesson, so that stories thicken
ENDINGS = st.sampled_from(["ready", "ready", "ready", "preparing", "errored", "unplayable"])
TIMES = {
    "mux_asset_tracking": ("created_at", "next_check_at", "expires_at", "attention_at", "ready_at"),
    "asset_deletions": ("due_at", "requested_at"),
    "upload_cancellations": ("due_at", "requested_at"),
    "mux_events": ("received_at", "next_attempt_at"),
    "waiting_events": ("received_at", "due_at"),
    "mux_budget": ("filled_at", "paused_until"),
    "editing_holds": ("expires_at",),
    "lessons": ("held_until", "publish_not_before", "unpublish_at", "publication_warned_at"),
}


class VideoMachine(VideoLaws, RuleBasedStateMachine):
    """Everything that may happen to three owners of videos."""

    app: ClassVar[Flask]
    empty: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.fuse: int | None = None  # statements until the process that is at work dies
        self.planned: int | None = None
        self.context = self.app.app_context()
        self.context.push()
        self.empty()
        self.fake = MuxInMemory()
        self.fake.may_delete = self.law_of_deletion
        self.put_in = installed(self.fake)
        self.put_in.__enter__()
        self.engine = db.engine
        event.listen(self.engine, "before_cursor_execute", self._burn)

    @initialize()
    def school(self) -> None:
        instructors = [User(email=f"t{n}@school.example", name="T", role="instructor") for n in range(2)]
        self.begin()
        with transaction(JOB):
            db.session.add_all(instructors)
            db.session.flush()
            owners = [
                Lesson(creator_id=instructors[0].id, title="One"),
                Lesson(creator_id=instructors[0].id, title="Two", publish_on_ready=False),
                Course(instructor_id=instructors[0].id, title="Course"),
            ]
            db.session.add_all(owners)
        self.owners = [Ref(type(one), one.id, one.title) for one in owners]
        self.instructor_ids = [one.id for one in instructors]
        self.intents = {owners[0].id: True, owners[1].id: False}

    def teardown(self) -> None:
        try:
            if hasattr(self, "owners"):
                self.settle(whole=True)
        finally:
            event.remove(self.engine, "before_cursor_execute", self._burn)
            self.put_in.__exit__(None, None, None)
            db.session.rollback()
            db.session.remove()
            self.context.pop()

    def _burn(self, *_: object) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse <= 0:
                self.fuse = None
                raise Killed

    @contextmanager
    def doing(self) -> Iterator[None]:
        """A process of the product at work. It may be killed; then the next one starts with nothing but the database."""
        self.died, self.fuse = False, self.planned
        try:
            yield
        except Killed:
            self.died = True
            db.session.remove()
        finally:
            self.fuse = self.planned = self.fake.once = None
            db.session.rollback()

    def owner(self, place: int) -> Owner:
        return self.now(self.owners[place % len(self.owners)])

    def actor(self, owner: Owner) -> Actor:
        return Actor.user(owner.owner_id)

    # people

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS)
    def upload(self, place: int) -> None:
        owner, ref = self.owner(place), self.owners[place % len(self.owners)]
        with self.doing(), suppress(Problem):
            ticket = direct_upload.start(owner, FILE, actor=self.actor(owner))
            self.tickets.append((ticket.upload_id, ref))

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS)
    def bring_an_upload_of_their_own(self, place: int) -> None:
        owner, ref = self.owner(place), self.owners[place % len(self.owners)]
        named = {"lesson_id" if isinstance(owner, Lesson) else "course_id": owner.id}
        made = self.fake.issue(mux.Passthrough(**named).text(), "elsewhere", "public")
        self.foreign.add(made["id"])
        with self.doing(), suppress(Problem):
            direct_upload.bytes_are_in(owner, made["id"], temp_asset_id=None, actor=self.actor(owner))
            self.tickets.append((made["id"], ref))

    @precondition(lambda self: self.tickets)
    @rule(place=PLACES)
    def say_that_the_bytes_are_in(self, place: int) -> None:
        upload_id, owner = self.ticket(place)
        with self.doing(), suppress(Problem):
            direct_upload.bytes_are_in(owner, upload_id, temp_asset_id="temp_1", actor=JOB)

    @precondition(lambda self: self.tickets)
    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        upload_id, owner = self.ticket(place)
        with self.doing(), suppress(Problem):
            direct_upload.cancel(upload_id, owner, actor=JOB)
        self.note_cancelled(upload_id)

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS)
    def publish(self, place: int) -> None:
        lesson = self.lesson(place)
        lesson_id = lesson.id
        self.early.pop(lesson_id, None)
        with self.doing(), suppress(Problem):
            lessons.publish(lesson, actor=self.actor(lesson))
            assert self.stands(lesson_id) is True
        self.intents[lesson_id] = self.stands(lesson_id)

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS)
    def unpublish(self, place: int) -> None:
        lesson = self.lesson(place)
        lesson_id = lesson.id
        with self.doing():
            with transaction(self.actor(lesson)):
                lessons.unpublish(lesson)
            assert self.stands(lesson_id) is False
        self.intents[lesson_id] = self.stands(lesson_id)

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS, begins=MINUTES, ends=MINUTES)
    def plan(self, place: int, begins: int | None, ends: int | None) -> None:
        """Not published by itself before a time, and taken back at a time."""
        lesson = self.lesson(place)
        lesson_id, creator = lesson.id, db.session.get_one(User, lesson.creator_id)
        self.early.pop(lesson_id, None)
        now = datetime.now(UTC)
        times = [now + timedelta(minutes=one) if one is not None else None for one in (begins, ends)]
        with self.doing(), suppress(Problem):
            with transaction(self.actor(lesson)):
                changes = lessons.Changes(publish_not_before=times[0], unpublish_at=times[1])
                lessons.edit(creator, lesson_id, changes)
            self.note_plan(lesson_id, begins, ends)

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS, page=st.integers(0, 1))
    def type_something(self, place: int, page: int) -> None:
        """Until it is saved, taken back or the page is not heard of any more, nothing is published without a person's word."""
        lesson = self.lesson(place)
        lesson_id = lesson.id
        with self.doing(), transaction(self.actor(lesson)):
            lessons.note_unsaved_changes(lesson, PAGES[page], dirty=True)
        if not self.died:
            self.note_typing(lesson_id, PAGES[page])

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS, page=st.integers(0, 1))
    def take_it_back(self, place: int, page: int) -> None:
        lesson = self.lesson(place)
        self.typing.pop((lesson.id, PAGES[page]), None)
        with self.doing(), transaction(JOB):
            lessons.note_unsaved_changes(lesson, PAGES[page], dirty=False)

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS, other=PLACES)
    def delete_video(self, place: int, other: int) -> None:
        """One of its assets, also one that was replaced or is still processed."""
        owner = self.owner(place)
        ids = sorted(row.mux_asset_id for row in self.rows(owner) if row.mux_asset_id)
        if not ids:
            return
        asset_id = ids[other % len(ids)]
        owner_id, shown = owner.id, owner.mux_asset_id
        self.fake.refuse_delete_while_preparing = other % 2 == 0
        with self.doing(), transaction(self.actor(owner)):
            removal.request_delete(asset_id)
        self.note_deleted(owner_id, asset_id, shown)

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS)
    def clear(self, place: int) -> None:
        owner = self.owner(place)
        owner_id, shown = owner.id, owner.mux_asset_id
        ids = [row.mux_asset_id for row in self.rows(owner) if row.superseded_at is None]
        coming = [row.upload_id for row in self.rows(owner) if row.superseded_at is None]
        with self.doing(), transaction(self.actor(owner)):
            removal.clear_video(locking.lock_video_of(owner))
        for upload_id in coming:
            self.note_cancelled(upload_id)
        for asset_id in filter(None, ids):
            self.note_deleted(owner_id, asset_id, shown)

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS)
    def undo(self, place: int) -> None:
        owner = self.owner(place)
        owner_id = owner.id
        with self.doing(), transaction(self.actor(owner)):
            if removal.undo_replacement(locking.lock_video_of(owner)):
                self.undone.add(owner_id)

    @precondition(lambda self: len(self.owners) > 1)
    @rule(place=OWNERS)
    def delete_owner(self, place: int) -> None:
        owner = self.owner(place)
        with self.doing(), transaction(self.actor(owner)):
            removal.give_up_all_assets(locking.lock_video_of(owner))
            db.session.delete(owner)
        self.owners = [one for one in self.owners if db.session.get(one.kind, one.id) is not None]
        self.tickets = [ticket for ticket in self.tickets if ticket[1] in self.owners]

    @precondition(lambda self: self.lessons())
    @rule(place=OWNERS, instructor=st.integers(0, 1))
    def give_to(self, place: int, instructor: int) -> None:
        lesson = self.lesson(place)
        with self.doing(), transaction(JOB):
            lesson.creator_id = self.instructor_ids[instructor]

    @precondition(lambda self: self.owners)
    @rule(instructor=st.integers(0, 1))
    def hand_everything_over(self, instructor: int) -> None:
        """The instructor who began an upload loses the right to it; what has not arrived is withdrawn."""
        giver, taker = self.instructor_ids[instructor], self.instructor_ids[1 - instructor]
        with self.doing(), transaction(JOB):
            handover.hand_over(from_id=giver, to_id=taker)
        for upload_id in self.law_of_loss(giver):
            self.withdrawn.add(upload_id)
            self.note_cancelled(upload_id)

    @precondition(lambda self: self.withdrawn)
    @rule(place=PLACES)
    def take_over(self, place: int) -> None:
        """Staff take over what is held; from then on it is an upload like any other."""
        upload_id = sorted(self.withdrawn)[place % len(self.withdrawn)]
        tracking_id = db.session.scalar(select(Tracking.id).where(Tracking.upload_id == upload_id))
        if tracking_id is None:
            return
        with self.doing(), transaction(JOB):
            if take_over_files.take_over(tracking_id).status == "done":
                self.taken_over.add(upload_id)
        if self.died and self.is_held(upload_id):
            self.taken_over.discard(upload_id)
        if upload_id in self.taken_over:
            self.withdrawn.discard(upload_id)
            self.cancelled.discard(upload_id)

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS, ending=ENDINGS, heard=st.booleans())
    def bring_a_video(self, place: int, ending: str, heard: bool) -> None:
        """The usual way at one go, so that stories get as far as replacements and undoing."""
        before = len(self.tickets)
        self.upload(place)
        for upload_id, _ in self.tickets[before:]:
            asset_id = self.fake.file_in(upload_id)
            if asset_id and ending != "preparing":
                self.end_processing(asset_id, ending)
        if heard:
            self.deliver_all()

    @precondition(lambda self: self.owners)
    @rule(place=OWNERS, ending=ENDINGS, undone=st.booleans())
    def replace(self, place: int, ending: str, undone: bool) -> None:
        """A video that plays gives way to another one, or not; and comes back, or not."""
        self.bring_a_video(place, "ready", heard=True)
        self.bring_a_video(place, ending, heard=True)
        if undone:
            self.undo(place)

    # Mux and its dashboard

    @rule(place=PLACES)
    def file_arrives(self, place: int) -> None:
        waiting = [
            key
            for key, one in self.fake.uploads.items()
            if one["status"] == "waiting" and key in self.known()
        ]
        if waiting:
            self.fake.file_in(waiting[place % len(waiting)])

    @rule(place=PLACES, ending=ENDINGS)
    def processing_ends(self, place: int, ending: str) -> None:
        preparing = [key for key, one in self.fake.assets.items() if one["status"] == "preparing"]
        if preparing and ending != "preparing":
            self.end_processing(preparing[place % len(preparing)], ending)

    def end_processing(self, asset_id: str, ending: str) -> None:
        if ending == "errored":
            self.fake.errored(asset_id)
        else:
            self.fake.ready(asset_id, playable=ending == "ready")

    @rule(place=PLACES, ending=st.sampled_from(["errored", "cancelled", "timed_out"]))
    def upload_ends_without_asset(self, place: int, ending: str) -> None:
        waiting = [key for key, one in self.fake.uploads.items() if one["status"] == "waiting"]
        if waiting:
            self.fake.end_upload(waiting[place % len(waiting)], ending)

    @rule(place=PLACES)
    def delete_in_the_dashboard(self, place: int) -> None:
        if self.fake.assets:
            asset_id = list(self.fake.assets)[place % len(self.fake.assets)]
            self.note_dashboard(asset_id)
            self.fake.delete(asset_id)

    @rule(kind=st.sampled_from(TROUBLES))
    def mux_fails(self, kind: str) -> None:
        self.fake.trouble = kind

    @precondition(lambda self: self.fake.trouble)
    @rule()
    def mux_is_back(self) -> None:
        self.fake.trouble = None

    @rule(how=st.sampled_from(["late", "dead"]))
    def next_answer_is_lost(self, how: str) -> None:
        self.fake.once = how

    # the wire

    @precondition(lambda self: self.fake.said)
    @rule(place=PLACES, twice=st.booleans())
    def deliver(self, place: int, twice: bool) -> None:
        """Any of the next events, perhaps again later."""
        index = place % min(len(self.fake.said), 6)
        payload = self.fake.said[index]
        self.give(payload)
        if not twice:
            self.fake.said.remove(payload)

    @precondition(lambda self: self.fake.said)
    @rule()
    def deliver_all(self) -> None:
        for payload in self.fake.said:
            self.give(payload)
        self.fake.said = []

    @precondition(lambda self: self.fake.said)
    @rule(seed=st.integers(0, 99))
    def deliver_all_shuffled_and_doubled(self, seed: int) -> None:
        mixed = [*self.fake.said, *self.fake.said]
        random.Random(seed).shuffle(mixed)
        for payload in mixed:
            self.give(payload)
        self.fake.said = []

    @precondition(lambda self: self.fake.said)
    @rule()
    def lose(self) -> None:
        """All but deletions: a video that plays is asked about by `reconcile`, not by the sweep."""
        self.fake.said = [one for one in self.fake.said if one["type"] == "video.asset.deleted"]

    @precondition(lambda self: self.fake.said)
    @rule(size=st.integers(1, 5))
    def deliver_all_at_once(self, size: int) -> None:
        """Stored together, then applied in batches; what a killed process leaves waits for the next one."""
        for payload in self.fake.said:
            store(payload)
        self.fake.said = []
        with self.doing():
            while applier.apply_due(size):
                pass

    @rule(size=st.integers(1, 200))
    def apply_what_waits(self, size: int) -> None:
        with self.doing():
            applier.apply_due(size)

    def give(self, payload: dict[str, Any]) -> None:
        """It is acknowledged once it is stored, whether or not the process lives to apply it."""
        row_id = store(payload)
        with self.doing():
            applier.apply_now(row_id)

    @invariant()
    def no_event_fails(self) -> None:
        assert db.session.scalars(select(MuxEvent.error).where(MuxEvent.outcome == "failed")).all() == []
        db.session.rollback()

    @rule(place=st.integers(0, 50))
    def replay(self, place: int) -> None:
        ids = db.session.scalars(select(MuxEvent.id).order_by(MuxEvent.id)).all()
        if ids:
            with self.doing():
                assert inbox.replay(ids[place % len(ids)], actor=JOB) != "failed"

    # time, and what it kills

    @rule(statements=st.integers(1, 25))
    def die_soon(self, statements: int) -> None:
        self.planned = statements

    @rule(minutes=st.sampled_from([1, 40, 40, 300, 1500]), trouble=st.sampled_from([None, None, *TROUBLES]))
    def sweep_after(self, minutes: int, trouble: str | None = None) -> None:
        self.time_passes(minutes * 60)
        before, self.fake.trouble = self.fake.trouble, trouble or self.fake.trouble
        with self.doing():
            summary = sweep.sweep()
            assert summary.ran
            assert not summary.failed, summary.failed
        self.fake.trouble = before

    def time_passes(self, seconds: int) -> None:
        for table, columns in TIMES.items():
            moved = ", ".join(f"{one} = {one} - make_interval(secs => {seconds})" for one in columns)
            db.session.execute(text(f"UPDATE {table} SET {moved}"))  # noqa: S608 - names that the tests write
        db.session.commit()
        self.fake.time_passes(seconds)
        self.passed += seconds

    @rule(lost=st.booleans())
    def dust_settles(self, lost: bool) -> None:
        if lost:
            self.lose()
        self.settle()

    def settle(self, *, whole: bool = False) -> None:
        """Mux is well, and nothing but sweeps and what it still has to say brings things in order."""
        self.planned = self.fake.trouble = self.fake.once = None
        self.fake.refuse_delete_while_preparing = False
        self.deliver_all()
        for hours in (2, 2, 26 if whole else 2, 2, 2):
            self.sweep_after(hours * 60)
            self.deliver_all()
        self.laws_of_rest(whole=whole)

    @invariant()
    def always(self) -> None:
        if hasattr(self, "owners"):
            self.laws()

    def lessons(self) -> list[Ref]:
        return [one for one in self.owners if one.kind is Lesson]

    def lesson(self, place: int) -> Lesson:
        found = self.now(self.lessons()[place % len(self.lessons())])
        assert isinstance(found, Lesson)
        return found

    def ticket(self, place: int) -> tuple[str, Owner]:
        upload_id, ref = self.tickets[place % len(self.tickets)]
        return upload_id, self.now(ref)

    def known(self) -> set[str]:
        """Uploads whose address left Lessonadmin (or another program): only to them a file can be sent."""
        issued = db.session.scalars(select(Tracking.upload_id).where(Tracking.upload_id.is_not(None))).all()
        return {*issued, *(one for one, _ in self.tickets), *self.foreign}
