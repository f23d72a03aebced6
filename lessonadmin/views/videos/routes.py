"""The routes of a video, the same for lessons and courses: its state, what may be done about it, and the questions before.

Each action answers twice: a browser without scripts is sent back to the page, an open page gets the state alone.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from flask import Blueprint, make_response, redirect, render_template
from werkzeug.wrappers import Response

from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Course, Kind, Lesson, Owner
from lessonadmin.views.videos import card
from lessonadmin.views.videos.actions import ACTIONS
from lessonadmin.web import errors, fragments

OwnerType = TypeVar("OwnerType", Lesson, Course)
# which actions, and the deletion of the owner, ask before they act
QUESTIONS: dict[Kind, str] = {
    "lesson": "unpublish, cancel, remove, delete",
    "course": "cancel, remove, delete",
}


@dataclass(frozen=True, kw_only=True)
class VideoRoutes(Generic[OwnerType]):
    """`load` gives the lesson or course that the signed-in user may change; `confirm_delete` the question before deleting it."""

    kind: Kind
    load: Callable[[uuid.UUID], OwnerType]
    confirm_delete: Callable[[OwnerType], str]

    def add_to(self, bp: Blueprint) -> None:
        """An id in an address is named `lesson_id` or `course_id`."""
        address = f"/<uuid:{self.kind}_id>"
        bp.add_url_rule(f"{address}/video", "video", self._show)
        for name in ACTIONS[self.kind]:
            bp.add_url_rule(f"{address}/{name}", name, partial(self._act, name), methods=["POST"])
        bp.add_url_rule(f"{address}/<any({QUESTIONS[self.kind]}):what>", "confirm", self._confirm)

    def _show(self, **ids: uuid.UUID) -> Response:
        """The state alone, as an open page asks for it; typed by hand it leads to the page."""
        owner = self._owner(ids)
        if not fragments.wanted():
            return redirect(card.owner_url(owner, "edit"))
        return card.fragment(card.of(owner))

    def _act(self, name: str, **ids: uuid.UUID) -> Response:
        owner = self._owner(ids)
        alone = fragments.wanted()
        try:
            said = ACTIONS[self.kind][name](owner)
        except Problem as problem:
            if not alone:
                raise
            shown = card.of(self._owner(ids), problem=problem, pressed=name)
            return card.fragment(shown, status=errors.STATUS[type(problem)])
        if alone:
            return card.fragment(card.of(self._owner(ids), said=said))
        return redirect(card.owner_url(owner, "edit", said=said))

    def _confirm(self, what: str, **ids: uuid.UUID) -> Response:
        """The question as a page of its own, for browsers without scripts."""
        owner = self._owner(ids)
        return make_response(self.confirm_delete(owner) if what == "delete" else confirm_page(owner, what))

    def _owner(self, ids: dict[str, uuid.UUID]) -> OwnerType:
        return self.load(ids[f"{self.kind}_id"])


def confirm_page(owner: Owner, what: str) -> str:
    return render_template("video/confirm.html", owner=owner, what=what, card=card.of(owner))
