"""What the lists of lessons and courses have in common: a video, an owner, words to be found by."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells, filters
from lessonadmin.admin.framework.cells import Formatter, cell
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain import attention, thumbnails
from lessonadmin.domain.lessons import pictures
from lessonadmin.domain.models import Course, User
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from lessonadmin.domain.querying import full_text
from lessonadmin.domain.support import lookup
from lessonadmin.domain.videos import conditions, video_status, wording
from lessonadmin.web import headers, states

VIDEO_STATES = states.options("video", VIDEO_STATUSES)
POLICIES = (("public", "Public"), ("signed", "Signed"))
ERRORS = tuple((name, name.replace("_", " ").capitalize()) for name in wording.FAILURE_SENTENCES)
THUMB = {"width": 128, "height": 72}
CAUSES = states.options("attention", attention.CAUSES)


@dataclass(frozen=True)
class Videos:
    """What the cells need of all rows of a page: how each video stands, and which of them need a person."""

    statuses: Mapping[uuid.UUID, video_status.VideoStatus]
    needing: Mapping[uuid.UUID, str]
    covers: Mapping[uuid.UUID, str | None]


def read_cause(value: str) -> attention.Cause:
    if value not in attention.CAUSES:
        raise ValueError("not a known cause")
    return value


def attention_filters(model: type[Any]) -> list[filters.Where]:
    return [
        *filters.flag(
            "Needs attention",
            lambda: attention.needed(model),
            otherwise=lambda: ~attention.needed_by_each(model),
            counted_as=lambda most: attention.ids(model, most=most),
            by_each=lambda: attention.needed_by_each(model),
        ),
        filters.Where(
            "Cause",
            "is",
            lambda cause: model.id.in_(attention.ids_with(cause, model)),
            column=None,
            options=CAUSES,
            read=read_cause,
            counted_as=lambda cause, _: attention.ids_with(read_cause(cause), model),
            by_each=lambda cause: attention.by_index_of_its_own(cause, model),
        ),
        *filters.flag(
            "Stuck",
            lambda: conditions.stuck(model),
            otherwise=lambda: conditions.not_stuck(model),
            counted_as=lambda _: conditions.stuck_ids(model),
        ),
    ]


def attention_views(model: type[Any]) -> tuple[SavedView, ...]:
    return (
        SavedView(
            "needs-attention",
            "Needs attention",
            lambda: attention.needed(model),
            counted_as=lambda most: attention.ids(model, most=most),
            by_each=lambda: attention.needed_by_each(model),
        ),
        SavedView(
            "stuck",
            "Stuck",
            lambda: conditions.stuck(model),
            counted_as=lambda _: conditions.stuck_ids(model),
        ),
        SavedView("failed", "Failed", lambda: attention.has("failed", model)),
    )


class OwnerList(TableView):
    """What lessons and courses have in common: a video, an owner, words to be found by."""

    offers = frozenset({"details_view", "edit_view", "action_view", "export"})
    search_hint = "Title, ID or e-mail"
    searches_words = True

    def exact_ids(self, text: str) -> list[Any]:
        raise NotImplementedError

    @property
    def owner_column(self) -> Any:
        raise NotImplementedError

    def found(self, text: str) -> ColumnElement[bool] | None:
        exact = self.exact_ids(text)
        if exact:
            found: ColumnElement[bool] = self.model.id.in_(exact)
            return found
        like = self.by_words(text)
        if "@" in text and like is not None and (people := lookup.account_ids(text)):
            return or_(like, self.owner_column.in_(people))
        return like

    def by_words(self, text: str) -> ColumnElement[bool] | None:
        found: ColumnElement[bool] | None = full_text.matches(self.model.search, text)
        return found

    def pinned(self, most: int) -> Select[Any]:
        return attention.newest_ids(self.model, most)

    def prepare(self, rows: Sequence[Any]) -> Videos:
        headers.shows_pictures()
        covers = pictures.covers(rows, **THUMB) if self.model is Course else {}
        return Videos(video_status.of_many(rows), attention.why_many(rows), covers)

    def _loading(self, relation: Any) -> Any:
        if relation.key in ("course", "section"):
            return joinedload(relation).load_only(relation.entity.class_.title)
        return joinedload(relation).load_only(User.email, User.name)


def title(notes: Callable[[Any], Sequence[Any]]) -> Formatter:
    """The formatter of a title that leads to its page, beside its picture and above its notes."""

    def show(view: Any, context: Any, row: Any, _name: str) -> Any:
        said = [note for note in notes(row) if note]
        picture = context["data"].details.covers.get(row.id) or thumbnails.thumbnail(row, **THUMB) or ""
        return cell("titled", row.title, cells.page_of(view, row), picture, said, picture=view.icon)

    return show


def video(row: Any, videos: Videos) -> Any:
    seen, why = videos.statuses.get(row.id), videos.needing.get(row.id, "")
    return cell(
        "video_state",
        row.video_processing_status,
        seen.late if seen else "",
        seen.progress if seen else None,
        why,
    )
