"""The trash as a page: what an instructor deleted, until when it is kept, and ways to restore it or to end it at once.

Staff see what all instructors deleted. What restoring and ending mean is decided in the domain.
"""

import uuid
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.batches import registry
from lessonadmin.domain.lessons import trash, trash_list
from lessonadmin.domain.models import Kind, Owner
from lessonadmin.web import address_numbers, toasts

bp = Blueprint("trash", __name__, url_prefix="/trash")


@bp.get("")
def index() -> str:
    user = auth.current_user()
    page = trash_list.page(user, address_numbers.page(trash_list.LAST_PAGE))
    # staff restore in the panel, with a reason; a course is restored by itself, since its lessons come with it
    ticked = not user.is_staff and any(one.kind == "lesson" for one in page.items)
    actions = [(one.name, one.label) for one in registry.of_owners("trash")] if ticked else []
    return render_template("trash/index.html", page=page, actions=actions)


@bp.post("/<any(lesson, course):kind>/<uuid:owner_id>/restore")
def restore(kind: Kind, owner_id: uuid.UUID) -> Response:
    publish = request.form.get("publish") == "1"
    with transaction(auth.current_actor()):
        owner = trash.restore(auth.current_user(), kind, owner_id, publish=publish)
    flash(trash.said_of(owner), "success")
    ids: dict[str, Any] = {f"{kind}_id": owner_id}
    return redirect(url_for(f"{kind}s.edit", **ids))


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
