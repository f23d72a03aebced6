"""Jobs in the panel, by RQ's own data: what waits, what failed, and buttons to retry or forget it."""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage, tell
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.redis_queue import inspection


class JobsPage(PanelPage):
    slug, icon = "jobs", "gears"

    @expose("/")
    def index(self) -> str:
        return str(self.render("admin/machine/jobs.html", seen=inspection.look()))

    @expose("/retry", methods=("POST",))
    def retry(self) -> Any:
        return _done("retried", inspection.retry, "The job is in its queue again.")

    @expose("/retry-all", methods=("POST",))
    def retry_all(self) -> Any:
        return _done("retried", lambda _job: inspection.retry_all(), "Every failed job is in its queue again.")  # fmt: skip

    @expose("/delete", methods=("POST",))
    def delete(self) -> Any:
        return _done("deleted", inspection.forget, "The job is forgotten.")


def _done(what: str, do: Callable[[str], Any], said: str) -> Any:
    job_id = request.form.get("job", "")[:200]

    def act() -> None:
        do(job_id)
        with transaction(auth.current_actor()):
            audit_log.record_for(f"job.{what}", "job", None, job=job_id or "all")

    tell(act, said)
    return redirect(url_for(".index"))
