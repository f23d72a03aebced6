"""The trash as a page: what an instructor deleted, until when it is kept, and ways to restore it or to end it at once.

Staff see what all instructors deleted. Several that are ticked are restored together: lessons alone as a bulk action (`views.lessons.bulk`),
and with courses among them here, in one transaction. What restoring and ending mean is decided in the domain.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.batches import registry
from lessonadmin.domain.lessons import trash, trash_list
from lessonadmin.domain.models import Kind, Owner
from lessonadmin.domain.videos.locking import Target
from lessonadmin.text.ids import as_id
from lessonadmin.text.plurals import plural
from lessonadmin.web import address_numbers, toasts

bp = Blueprint("trash", __name__, url_prefix="/trash")
# In which field of a form the ids of ticked rows stand.
FIELDS: Mapping[str, Kind] = {"course_id": "course", "rowid": "lesson"}
NOTHING_LEFT = "None of these is in the trash any more, so there is nothing to do."


@bp.get("")
def index() -> str:
    user = auth.current_user()
    page = trash_list.page(user, address_numbers.page(trash_list.LAST_PAGE))
    # staff restore in the panel, with a reason
    actions = [] if user.is_staff else [(one.name, one.label) for one in registry.of_owners("trash")]
    return render_template("trash/index.html", page=page, actions=actions)


@bp.post("/<any(lesson, course):kind>/<uuid:owner_id>/restore")
def restore(kind: Kind, owner_id: uuid.UUID) -> Response:
    publish = request.form.get("publish") == "1"
    with transaction(auth.current_actor()):
        owner = trash.restore(auth.current_user(), kind, owner_id, publish=publish)
    flash(trash.said_of(owner), "success")
    ids: dict[str, Any] = {f"{kind}_id": owner_id}
    return redirect(url_for(f"{kind}s.edit", **ids))


# Several


@bp.post("/restore")
def restore_chosen() -> Response:
    """First what would become of each, then, with `sure`, all of them."""
    action = request.form.get("action", "")
    if action not in {one.name for one in registry.of_owners("trash")}:
        abort(400, f"There is no action “{action[:60]}” for the trash, so nothing was done.")
    targets = _ticked()
    if all(kind == "lesson" for kind, _ in targets):
        return redirect(url_for("lessons.bulk"), 307)
    publish = action == "restore_and_publish"
    if "sure" not in request.form:
        return _preview(action, targets, publish)
    with transaction(auth.current_actor()):
        done = trash.restore_many(auth.current_user(), targets, publish=publish)
    if done:
        toasts.flash_with_button(
            f"{_counted(done)} restored.",
            "success",
            label="Undo",
            icon="undo",
            url=url_for(".put_back"),
            fields={
                field: " ".join(str(one.id) for one in done if one.kind == kind)
                for field, kind in FIELDS.items()
            },
        )
    else:
        flash(NOTHING_LEFT, "warning")
    return redirect(url_for(".index"))


def _ticked() -> list[Target]:
    """Each field may have several ids, apart by a space: so a button of a message names them."""
    found = [
        (kind, owner_id)
        for field, kind in FIELDS.items()
        for text in " ".join(request.form.getlist(field)).split()
        if (owner_id := as_id(text)) is not None
    ]
    if len(found) > trash.MAX_AT_ONCE:
        abort(400, f"At most {trash.MAX_AT_ONCE} can be restored at once.")
    return found


def _preview(action: str, targets: Sequence[Target], publish: bool) -> Response:
    found = trash_list.chosen(auth.current_user(), targets)
    if not found:
        flash(NOTHING_LEFT, "warning")
        return redirect(url_for(".index"))
    counted = _named([one.kind for one in found])
    page = render_template(
        "trash/restore.html",
        action=action,
        found=found,
        publish=publish,
        counted=counted,
        gone=len(set(targets)) - len(found),
    )
    return make_response(page)


def _named(kinds: Sequence[str]) -> str:
    """`2 courses and 1 lesson`."""
    return " and ".join(plural(kinds.count(kind), kind) for kind in FIELDS.values() if kind in kinds)


def _counted(done: Sequence[Owner]) -> str:
    return f"{_named([one.kind for one in done])} {'is' if len(done) == 1 else 'are'}"


@bp.post("/put-back")
def put_back() -> Response:
    """The undo of restoring several."""
    targets = _ticked()
    with transaction(auth.current_actor()):
        done = trash.put_back(auth.current_user(), targets)
    left = len(set(targets)) - len(done)
    words = f"{_counted(done)} in the trash again." if done else ""
    more = f"{left} {'is' if left == 1 else 'are'} not: bought or deleted meanwhile." if left else ""
    flash(f"{words} {more}".strip() or NOTHING_LEFT, "success" if done else "warning")
    return redirect(url_for(".index"))


@bp.get("/<any(lesson, course):kind>/<uuid:owner_id>/delete")
def confirm(kind: Kind, owner_id: uuid.UUID) -> Response:
    """The question as a page of its own, for browsers without scripts."""
    one = trash_list.one(auth.current_user(), kind, owner_id)
    return make_response(render_template("trash/delete.html", one=one))


@bp.post("/<any(lesson, course):kind>/<uuid:owner_id>/delete")
def delete(kind: Kind, owner_id: uuid.UUID) -> Response:
    with transaction(auth.current_actor()):
        title = trash.end(auth.current_user(), kind, owner_id)
    flash(f"“{title}” is deleted permanently.", "success")
    return redirect(url_for(".index"))


def say_deleted(owner: Owner, more: str = "") -> None:
    """On the next page, with a button that takes the deletion back."""
    toasts.flash_with_button(
        f"“{owner.title}” is in the trash. {more}".strip(),
        "success",
        label="Undo",
        icon="undo",
        url=url_for("trash.restore", kind=owner.kind, owner_id=owner.id),
        fields={},
    )
