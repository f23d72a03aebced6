"""Asking Mux about many uploads with few calls: one page of assets answers for a hundred lessons.

What a page does not show is never taken for gone; such an upload is asked about by itself, a few at a time.

Who asks: the clock hands what is due to the workers, a job for each of a few uploads or one job for many. What was handed
over and not looked at when it is due again (a lost job, a busy worker), the clock looks at itself; and at everything when
Redis or all workers are silent. `flask sweep` looks at everything itself.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, cast, func, select, update

from lessonadmin import config, mux, queue
from lessonadmin.db import Actor, db, each_alone, later, transaction
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.polling.ask_mux import UploadSnapshot
from lessonadmin.domain.videos import recheck_schedule
from lessonadmin.domain.videos.observations import Observation, asset_observation, upload_observation

log = logging.getLogger(__name__)

MAX_ROWS = 1000
CHECK_ASSETS = "lessonadmin.jobs.videos.check_assets"
MAX_CLAIM_SECONDS = 30  # a killed worker and a lost job leave their rows due again after this
MAX_SINGLE_CHECKS_WITHOUT_PAGES = 3  # up to so many, single looks are no dearer than a page
MAX_CALLS = 12  # in one survey
CALLS_PER_CHECK = 2  # the upload, then its asset
MAX_PAGES = MAX_CALLS - CALLS_PER_CHECK
MAX_SINGLE_CHECKS = 5
PAGE_SIZE = 100
# Mux makes an asset after the upload was asked for, so older pages than this hold nothing that is looked for.
MAX_CLOCK_DIFFERENCE = timedelta(minutes=10)


@dataclass
class Survey:
    """What is still to be found out, and what it cost so far."""

    open: dict[str, UploadSnapshot]
    oldest: datetime
    pages: int = 0
    looks: int = 0
    changed: int = 0
    failed: str | None = None
    failures: list[Exception] = field(default_factory=list)
    by_asset: dict[str, str] = field(default_factory=dict)
    by_upload: dict[str, str] = field(default_factory=dict)

    def find(
        self, asset_id: str | None, upload_id: str | None, named: mux.Passthrough | None
    ) -> UploadSnapshot | None:
        keys = (
            str(named.tracking_id) if named is not None and named.tracking_id is not None else None,
            self.by_upload.get(upload_id or ""),
            self.by_asset.get(asset_id or ""),
        )
        return next((self.open[key] for key in keys if key is not None and key in self.open), None)


def check_due(*, actor: Actor) -> Survey:
    """Look at every due upload, here and now."""
    _schedule_forgotten()
    return _check_all(_claim_due(), actor)


def hand_over_due(*, actor: Actor) -> Survey:
    """Hand every due upload to the workers, and look at those that cannot be handed over or were so in vain."""
    _schedule_forgotten()
    uploads = _claim_due()
    kept = {upload.id for upload in uploads if upload.handed_over_at is not None}
    kept |= _hand_over([upload.id for upload in uploads if upload.id not in kept])
    return _check_all([upload for upload in uploads if upload.id in kept], actor)


def _hand_over(ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Give these to the workers; the answer is what could not be given."""
    if not ids or not heartbeats.worker_and_clock()["worker"]:
        return set(ids)
    now = db.session.scalars(select(func.clock_timestamp())).one()
    _update_schedule(ids, handed_over_at=now)
    if len(ids) <= MAX_SINGLE_CHECKS_WITHOUT_PAGES:
        kept = {one for one in ids if not queue.enqueue(recheck_schedule.CHECK_ASSET, str(one))}
    else:
        kept = set() if queue.enqueue(CHECK_ASSETS, now.isoformat()) else set(ids)
    if kept:
        _update_schedule(kept, handed_over_at=None)
    return kept


def check_handed_over(moment: datetime, *, actor: Actor) -> Survey:
    """A worker's look at the uploads that the clock handed over at this moment, but for those that are settled since."""
    handed = (Tracking.handed_over_at == moment, Tracking.next_check_at.is_not(None))
    return _check_all(_claimed(select(Tracking).where(*handed)), actor)


def claim(tracking_id: uuid.UUID) -> bool:
    """A worker is about to look at this upload: is it still wanted? False if it was looked at, or the clock does it."""
    handed_over = Tracking.handed_over_at.is_not(None) & Tracking.next_check_at.is_not(None)
    wanted = handed_over | (Tracking.next_check_at <= func.clock_timestamp())
    taken = db.session.execute(
        update(Tracking)
        .where(Tracking.id == tracking_id, wanted)
        .values(next_check_at=later(_claim_seconds()), updated_at=Tracking.updated_at)
        .returning(Tracking.id)
    ).first()
    db.session.commit()
    return taken is not None


def _check_all(uploads: list[Tracking], actor: Actor) -> Survey:
    """Ask about these within the shared budget."""
    state = Survey(
        open={
            str(upload.id): UploadSnapshot.of(upload) for upload in uploads
        },  # the one that waited most comes first
        oldest=min((upload.created_at for upload in uploads), default=datetime.max.replace(tzinfo=UTC)),
        by_asset={upload.mux_asset_id: str(upload.id) for upload in uploads if upload.mux_asset_id},
        by_upload={upload.upload_id: str(upload.id) for upload in uploads if upload.upload_id},
    )
    if len(state.open) > MAX_SINGLE_CHECKS_WITHOUT_PAGES:
        _read_assets(state, actor)
        _read_uploads(state, actor)
    _check_singly(state, actor)
    return state


def _schedule_forgotten() -> None:
    """An open upload without a next turn would be waited for in vain: however it came to that, it gets one."""
    db.session.execute(
        update(Tracking)
        .where(
            Tracking.is_current,
            Tracking.is_open,
            Tracking.next_check_at.is_(None),
        )
        .values(next_check_at=func.clock_timestamp(), updated_at=Tracking.updated_at)
    )
    db.session.commit()


def _claim_due() -> list[Tracking]:
    """Take what is due, away from the workers too; the rows still say which of them were handed over."""
    due = select(Tracking).where(Tracking.next_check_at <= func.clock_timestamp())
    return _claimed(due, handed_over_at=None)


def _claimed(which: Select[Tracking], **more: object) -> list[Tracking]:
    """Take these and move their next turn away, so that two never ask about the same upload at once. Their order stays."""
    uploads = db.session.scalars(
        which.order_by(Tracking.next_check_at, Tracking.id)
        .limit(MAX_ROWS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    ids = [upload.id for upload in uploads]
    _update_schedule(ids, next_check_at=later(_claim_seconds() + _position(ids) / 1000.0), **more)
    return list(uploads)


def _claim_seconds() -> int:
    return min(config.current().recheck_after_seconds, MAX_CLAIM_SECONDS)


def _position(ids: Sequence[uuid.UUID]) -> ColumnElement[int]:
    return func.array_position(cast(ids, ARRAY(Uuid)), Tracking.id)


def _update_schedule(ids: Collection[uuid.UUID], **values: object) -> None:
    """Only about asking: for a reader of the upload it has not changed. Commits."""
    db.session.execute(
        update(Tracking)
        .where(Tracking.id.in_(ids), Tracking.next_check_at.is_not(None))
        .values(updated_at=Tracking.updated_at, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _read_assets(state: Survey, actor: Actor) -> None:
    def gave_up(error: mux.MuxError) -> None:
        state.pages += 1  # it was asked for
        _record_error(state, error)

    pages = asset_pages(
        state.oldest, go_on=lambda: bool(state.open) and state.pages < MAX_PAGES, gave_up=gave_up
    )
    for page in pages:
        state.pages += 1
        _apply_page(
            state, actor, [(asset.id, asset.upload_id, asset.passthrough, asset) for asset in page.assets]
        )


def asset_pages(
    oldest: datetime | None, *, go_on: Callable[[], bool], gave_up: Callable[[mux.MuxError], None]
) -> Iterator[mux.AssetPage]:
    """Mux's assets, the newest first, within the shared budget, until whatever follows is older than what is sought."""
    cursor: str | None = None
    while go_on() and mux_budget.take():
        try:
            page = mux.list_assets(cursor=cursor, limit=PAGE_SIZE, priority="low")
        except mux.MuxError as error:
            gave_up(error)
            return
        mux_budget.went_well()
        yield page
        cursor = page.next_cursor
        if cursor is None or _all_older(page, oldest):
            return


def _all_older(page: mux.AssetPage, moment: datetime | None) -> bool:
    made = [asset.created_at for asset in page.assets if asset.created_at is not None]
    return moment is not None and bool(made) and min(made) < moment - MAX_CLOCK_DIFFERENCE


def _read_uploads(state: Survey, actor: Actor) -> None:
    """Uploads that made no asset: expired, cancelled or errored ones are told apart from those still waiting."""
    number = 0
    while (
        len(state.open) > MAX_SINGLE_CHECKS_WITHOUT_PAGES
        and state.failed is None
        and state.pages < MAX_PAGES
        and mux_budget.take()
    ):
        state.pages, number = state.pages + 1, number + 1
        try:
            page = mux.list_uploads(page=number, limit=PAGE_SIZE, priority="low")
        except mux.MuxError as error:
            _record_error(state, error)
            return
        mux_budget.went_well()
        _apply_page(state, actor, [(None, one.id, one.passthrough, one) for one in page])
        if len(page) < PAGE_SIZE:
            return


def _apply_page(
    state: Survey,
    actor: Actor,
    found: list[tuple[str | None, str | None, mux.Passthrough | None, mux.Asset | mux.Upload]],
) -> None:
    for asset_id, upload_id, named, thing in found:
        subject = state.find(asset_id, upload_id, named)
        if subject is None:
            continue
        if isinstance(thing, mux.Upload) and (thing.asset_id or thing.status == "unknown"):
            continue  # the asset has the better word; it is asked for singly
        observation = _observation(thing, subject)
        state.open.pop(str(subject.tracking_id))
        _apply_one(state, actor, subject, observation)


def _apply_one(state: Survey, actor: Actor, subject: UploadSnapshot, observation: Observation) -> None:
    words = "what Mux said about upload %s could not be applied"
    with (
        each_alone(log, words, subject.tracking_id, on_failure=state.failures.append),
        transaction(actor),
    ):
        if ask_mux.apply_observation(subject, observation) == "applied":
            state.changed += 1


def _observation(thing: mux.Asset | mux.Upload, subject: UploadSnapshot) -> Observation:
    if isinstance(thing, mux.Asset):
        return asset_observation(thing, wanted_policy=subject.wanted_policy, found_by="sweep", seen=True)
    return upload_observation(thing, found_by="sweep", seen=True)


def _check_singly(state: Survey, actor: Actor) -> None:
    """Those that no page showed, the one that waited most first; the rest follows at the next sweep."""
    for subject in list(state.open.values()):
        spent = state.pages + state.looks * CALLS_PER_CHECK
        enough = state.looks >= MAX_SINGLE_CHECKS or spent + CALLS_PER_CHECK > MAX_CALLS
        if state.failed is not None or enough or not mux_budget.take(CALLS_PER_CHECK):
            _release_claims(state)
            return
        state.looks += 1
        with each_alone(
            log, "upload %s could not be looked at", subject.tracking_id, on_failure=state.failures.append
        ):
            _check_one(state, actor, subject)
        state.open.pop(str(subject.tracking_id), None)


def _check_one(state: Survey, actor: Actor, subject: UploadSnapshot) -> None:
    try:
        if (
            ask_mux.check_upload(subject.tracking_id, actor=actor, priority="low", found_by="sweep")
            == "applied"
        ):
            state.changed += 1
        mux_budget.went_well()
    except mux.MuxError as error:
        _record_error(state, error)
    except Missing:
        pass  # deleted meanwhile


def _record_error(state: Survey, error: mux.MuxError) -> None:
    """Mux does not answer: nothing is concluded from that, and no upload is asked about twice in this sweep."""
    mux_budget.went_wrong(error)
    if error.kind == "later" or error.category == "auth_error":
        state.failed = f"{error.category}: {error.message}"


def _release_claims(state: Survey) -> None:
    """Their turn comes at the next sweep, in the order in which they waited; while Mux is away, when the claim ends."""
    if state.failed is not None:
        return
    ids = [subject.tracking_id for subject in state.open.values()]
    _update_schedule(ids, next_check_at=later((_position(ids) - len(ids)) / 1000.0), handed_over_at=None)
