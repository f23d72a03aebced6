"""Bulk actions over HTTP: the post of Flask-Admin's lists, a preview before it, and what is said after it.

A bare post (`action`, `rowid`..., `csrf_token`) carries the action out: up to MAX_AT_ONCE rows at once, more as a
batch. The panel's own buttons send `preview` first, then the same post with a reason and, where it is dangerous, a
word typed to confirm. What an action does is the domain's business.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request, url_for
from markupsafe import Markup
from sqlalchemy import Select
from werkzeug.wrappers import Response

from lessonadmin import auth, config
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import db, transaction
from lessonadmin.domain import buyers
from lessonadmin.domain.batches import batches, preview, registry, scheduling, targets, titles, undo
from lessonadmin.domain.batches.actions.clear_assets import CONFIRMED_AT, GRACE
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.batches.targets import Source
from lessonadmin.domain.buyers import Bought
from lessonadmin.domain.errors import TooMany
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects, toasts

CONFIRMATION = {"clear_asset": "remove", "take_over": "take over"}
MAX_NAMED = 3


@dataclass(frozen=True)
class Choice:
    """Which rows: those that were ticked, or all that match a list's query string."""

    ids: tuple[uuid.UUID, ...] = ()
    matching: Select[Any] | None = None
    query: str = ""

    @property
    def source(self) -> Source:
        return self.ids if self.matching is None else self.matching

    def at_once(self) -> list[uuid.UUID] | None:
        """The rows, if they are few enough to wait for; None if not."""
        found = list(self.ids) if self.matching is None else scheduling.first_ids(self.matching)
        return found if len(found) <= scheduling.MAX_AT_ONCE else None


class ActsOnRows:
    """For a TableView whose rows have actions; `target` is what the domain calls them."""

    target = ""
    acts_on_filter = True
    previews_actions = True

    def get_actions_list(self) -> tuple[list[tuple[str, str]], dict[str, str]]:
        return [(one.name, one.label) for one in registry.of(self.target)], {}

    def render(self, template: str, **values: Any) -> str:
        """Each row of a list says which actions would do something with it: those that help none of the selected rows
        are disabled in the bar."""
        if template == self.list_template:  # type: ignore[attr-defined]
            values["useful"] = preview.useful_of_many(self.target, [row.id for row in values["data"]])
        return str(super().render(template, **values))  # type: ignore[misc]

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        action = _action(self.target, request.form.get("action", ""))
        choice = _choice(self)
        if choice is None:
            return _back(f"Select at least one {titles.NOUNS[self.target]} first.", "warning")
        wrong = _wrong(action, choice)
        if "preview" in request.form or wrong:
            return _preview(self, action, choice, wrong)
        return _run(self, action, choice)


def _action(target: str, name: str) -> Action:
    found = registry.TABLE.get((target, name))
    if found is None or not found.offered:
        abort(400, f"There is no action “{name[:60]}” for these rows, so nothing was done.")
    return found


def _choice(view: Any) -> Choice | None:
    if request.form.get("scope") == "filter":
        query = request.form.get("query", "")
        return Choice(matching=view.matching_ids(query), query=query)
    ids = tuple(dict.fromkeys(filter(None, map(as_id, request.form.getlist("rowid")))))
    return Choice(ids=ids) if ids else None


def _to_type(action: Action, bought: Bought) -> str:
    """What must be typed before a dangerous action: the number of those who lose what they bought, else a word."""
    return str(bought.students) if bought.students else CONFIRMATION[action.name]


def _wrong(action: Action, choice: Choice) -> dict[str, str]:
    """What is missing in the panel's own form. A bare post has none of its fields and asks for nothing."""
    form, wrong = request.form, {}
    if "preview" in form:
        return {}
    if "reason" in form and "asked" in form and not form["reason"].strip():
        wrong["reason"] = "Write a reason for the audit log."
    if len(form.get("reason", "")) > batches.MAX_REASON_LENGTH:
        wrong["reason"] = f"Use at most {batches.MAX_REASON_LENGTH} characters."
    if action.dangerous and "asked" in form:
        wanted = _to_type(action, preview.bought_by(action, choice.source))
        if form.get("typed", "").strip().lower() != wanted:
            wrong["typed"] = f"Type “{wanted}” to confirm."
    return wrong


def _preview(view: Any, action: Action, choice: Choice, wrong: dict[str, str]) -> Response | str:
    seen = preview.preview(action, choice.source)
    if choice.matching is not None and seen.asked == 0:
        return _nothing()
    grace = config.current().replaced_grace_seconds
    return str(
        view.render(
            "admin/bulk/preview.html",
            action=action,
            choice=choice,
            seen=seen,
            wrong_fields=wrong,
            noun=titles.NOUNS[action.target],
            first_buyers=buyers.first_names(targets.lessons_of(action, choice.source))
            if seen.bought.students
            else [],
            confirmation=_to_type(action, seen.bought) if action.dangerous else "",
            can_keep=action.undone_only_with == GRACE and grace > 0,
            grace_seconds=grace,
            most_at_once=scheduling.MAX_AT_ONCE,
            reason=request.form.get("reason", ""),
            back=redirects.asked("url") or url_for(f"{view.endpoint}.index_view"),
        )
    )


def _nothing() -> Response:
    return _back("Nothing matches this filter any more, so there is nothing to do.", "warning")


def _run(view: Any, action: Action, choice: Choice) -> Response:
    actor = auth.current_actor(reason=request.form.get("reason", "").strip() or None)
    options: dict[str, object] = {}
    if request.form.get("grace") == "1" and action.undone_only_with == GRACE:
        options[GRACE] = True
    if action.takes_videos and "asked" in request.form:
        options[CONFIRMED_AT] = _confirmed_at(action, choice)
    at_once = choice.at_once()
    db.session.rollback()
    if at_once == []:
        return _nothing()
    if at_once is not None:
        try:
            report = scheduling.run_now(action, at_once, actor=actor, options=options)
        except TooMany as problem:
            return _back(f"Nothing was done. {problem.message}", "warning")
        say(action.label, report)
        return _back()
    with transaction(actor):
        batch = batches.create(action, choice.source, options=options)
        batch_id, total = batch.id, batch.total
    counted = titles.counted(action.target, total)
    flash(f"{action.label}: {counted} in the background. This page shows how far it is.", "success")
    return redirect(url_for("admin_batch.details_view", id=batch_id))


def _confirmed_at(action: Action, choice: Choice) -> str:
    """The moment at which the typed number was true. Purchases after it are looked for under the lock of each lesson."""
    now, bought = preview.bought_by_now(action, choice.source)
    if request.form.get("typed", "").strip().lower() != _to_type(action, bought):
        abort(
            409,
            "Meanwhile another student has bought one of these lessons. Nothing was removed: check the number again.",
        )
    return now.isoformat()


def say(label: str, report: scheduling.Report) -> None:
    """What became of each row, in as many words as fit: one row its sentence, several their figures. With a button that
    undoes it, if there is something to undo."""
    counts = {status: report.count(status) for status in ("done", "skipped", "failed")}
    waiting = len(report.items) - sum(counts.values())
    if len(report.items) == 1:
        line = report.items[0]
        words = f"{label}: {line.note or 'done.'}"
    else:
        parts = [f"{count} {name}" for name, count in counts.items() if count]
        parts += [f"{waiting} still to do"] if waiting else []
        words = f"{label}: {', '.join(parts)}."
        notes = dict.fromkeys(
            line.note for line in report.items if line.status in ("failed", "skipped") and line.note
        )
        words = " ".join([words, *list(notes)[:MAX_NAMED]])
    tone = "error" if counts["failed"] else "success" if counts["done"] and not waiting else "warning"
    link = Markup('{} <a href="{}">Details</a>').format(
        words, url_for("admin_batch.details_view", id=report.batch_id)
    )
    if not undo.is_undoable(report.batch_id):
        flash(link if report.items else words, tone)
        return
    toasts.flash_with_button(
        link,
        tone,
        label="Undo",
        icon="undo",
        url=url_for("admin_batch.undo_view"),
        fields={"id": str(report.batch_id), "url": redirects.asked("url") or url_for(".index_view")},
    )


def _back(words: str = "", tone: str = "") -> Response:
    if words:
        flash(words, tone)
    answer: Response = redirect(redirects.asked("url") or url_for(".index_view"))
    return answer
