"""What the lists of lessons and courses have in common: a video, an owner, words to be found by."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import joinedload

from lessonadmin.admin.framework import cells
from lessonadmin.admin.framework.cells import Formatter, cell
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain import thumbnails
from lessonadmin.domain.models import Course, User
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from lessonadmin.domain.querying import full_text
from lessonadmin.domain.support import lookup
from lessonadmin.domain.videos import video_status, wording
from lessonadmin.web import headers, states

VIDEO_STATES = states.options("video", VIDEO_STATUSES)
POLICIES = (("public", "Public"), ("signed", "Signed"))
ERRORS = tuple((name, name.replace("_", " ").capitalize()) for name in wording.FAILURE_SENTENCES)
THUMB = {"width": 128, "height": 72}


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
        like = full_text.matches(self.model.search, text)
        if "@" in text and like is not None and (people := lookup.account_ids(text)):
            return or_(like, self.owner_column.in_(people))
        return like

    def prepare(self, rows: Sequence[Any]) -> Mapping[uuid.UUID, video_status.VideoStatus]:
        headers.shows_pictures()
        return video_status.of_many(rows)

    def _loading(self, relation: Any) -> Any:
        if relation.key == "course":
            return joinedload(relation).load_only(Course.title)
        return joinedload(relation).load_only(User.email, User.name)


def title(notes: Callable[[Any], Sequence[Any]]) -> Formatter:
    """The formatter of a title that leads to its page, beside its picture and above its notes."""

    def show(view: Any, _context: Any, row: Any, _name: str) -> Any:
        said = [note for note in notes(row) if note]
        picture = thumbnails.thumbnail(row, **THUMB) or ""
        return cell("titled", row.title, cells.page_of(view, row), picture, said, picture=view.icon)

    return show


def video(row: Any, statuses: Mapping[uuid.UUID, video_status.VideoStatus]) -> Any:
    seen = statuses.get(row.id)
    why = row.video_error_type if row.video_processing_status == "error" else None
    return cell(
        "video_state",
        row.video_processing_status,
        bool(seen and seen.stuck),
        seen.progress if seen else None,
        why.replace("_", " ") if why else "",
    )
