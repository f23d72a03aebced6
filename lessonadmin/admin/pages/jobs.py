"""Jobs in the panel, by RQ's own data: what waits, what failed, and buttons to retry or forget it."""

from collections.abc import Callable
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from lessonadmin.admin.framework.base import PanelPage, act_and_return
from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.support import failed_jobs
from lessonadmin.redis_queue import inspection


class JobsPage(PanelPage):
    slug, icon = "jobs", "gears"

    @expose("/")
    def index(self) -> str:
        return str(self.render("admin/machine/jobs.html", seen=inspection.look()))

    @expose("/retry", methods=("POST",))
    def retry(self) -> Response:
        return _done(lambda: failed_jobs.retry(_job_id()), "The job is in its queue again.")

    @expose("/retry-all", methods=("POST",))
    def retry_all(self) -> Response:
        return _done(failed_jobs.retry_all, "Every failed job is in its queue again.")

    @expose("/delete", methods=("POST",))
    def delete(self) -> Response:
        return _done(lambda: failed_jobs.forget(_job_id()), "The job is forgotten.")


def _job_id() -> str:
    return request.form.get("job", "")[:200]


def _done(act: Callable[[], Any], said: str) -> Response:
    return act_and_return(act, said, back_to=url_for(".index"))
