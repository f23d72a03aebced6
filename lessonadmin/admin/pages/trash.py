"""The trash of all instructors in the panel: what was deleted by whom, and restoring it, with a reason for the audit log."""

import uuid
from typing import cast

from flask import request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage, act_and_return
from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.lessons import courses, lessons, trash, trash_list
from lessonadmin.domain.models import Kind, Owner
from lessonadmin.text.ids import as_id
from lessonadmin.web import address_numbers, toasts


class TrashPage(PanelPage):
    slug, icon = "trash", "trash"

    @expose("/")
    def index(self) -> str:
        page = trash_list.page(auth.current_user(), address_numbers.page(trash_list.LAST_PAGE))
        return str(self.render("admin/trash.html", page=page))

    @expose("/restore", methods=("POST",))
    def restore(self) -> Response:
        kind, owner_id = _named()
        publish = request.form.get("publish") == "1"
        reason = audit_log.checked_reason(request.form.get("reason"))
        done: list[Owner] = []
        back = act_and_return(
            lambda: done.append(trash.restore(auth.current_user(), kind, owner_id, publish=publish)),
            "",
            back_to=url_for(".index"),
            reason=reason,
        )
        for owner in done:
            toasts.flash_with_button(
                trash.said_of(owner),
                "success",
                label="Undo",
                icon="undo",
                url=url_for(".put_back"),
                fields={
                    "kind": kind,
                    "id": str(owner_id),
                    "reason": f"Undo: {reason}"[: audit_log.MAX_REASON_LENGTH],
                },
            )
        return back

    @expose("/put-back", methods=("POST",))
    def put_back(self) -> Response:
        """The undo of restoring: into the trash again, for the whole time."""
        kind, owner_id = _named()
        delete = lessons.delete if kind == "lesson" else courses.delete
        return act_and_return(
            lambda: delete(auth.current_user(), owner_id),
            "It is in the trash again.",
            back_to=url_for(".index"),
            reason=audit_log.checked_reason(request.form.get("reason")),
        )


def _named() -> tuple[Kind, uuid.UUID]:
    kind, owner_id = request.form.get("kind", ""), as_id(request.form.get("id", ""))
    if kind not in ("lesson", "course") or owner_id is None:
        raise Missing
    return cast(Kind, kind), owner_id
