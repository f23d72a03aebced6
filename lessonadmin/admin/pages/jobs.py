"""The machine room in the panel: jobs, by RQ's own data, and the doctor, the same lines as `flask doctor`."""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage, tell
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.redis_queue import inspection
from lessonadmin.web.formats import plural

DOCTOR_SECONDS = 6.0


class JobsPage(PanelPage):
    room, icon = "jobs", "gears"

    @expose("/")  # type: ignore[untyped-decorator]  # Flask-Admin's types are partial
    def index(self) -> str:
        return str(self.render("admin/machine/jobs.html", seen=inspection.look()))

    @expose("/retry", methods=("POST",))  # type: ignore[untyped-decorator]
    def retry(self) -> Any:
        return _done("retried", inspection.retry, "The job is in its queue again.")

    @expose("/retry-all", methods=("POST",))  # type: ignore[untyped-decorator]
    def retry_all(self) -> Any:
        return _done("retried", lambda _job: inspection.retry_all(), "Every failed job is in its queue again.")  # fmt: skip

    @expose("/delete", methods=("POST",))  # type: ignore[untyped-decorator]
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


class DoctorPage(PanelPage):
    room, icon = "doctor", "doctor"

    @expose("/")  # type: ignore[untyped-decorator]
    def index(self) -> str:
        with transaction(auth.current_actor()):
            rate_limits.other_question(auth.current_actor())
        lines = all_checks.examine(seconds=DOCTOR_SECONDS)
        counts = {level: sum(line.level == level for line in lines) for level in ("FAIL", "warn", "ok")}
        parts = [
            plural(counts["FAIL"], "thing fails", "things fail") if counts["FAIL"] else "",
            plural(counts["warn"], "warning") if counts["warn"] else "",
        ]
        return str(
            self.render(
                "admin/machine/doctor.html",
                lines=lines,
                healthy=all_checks.healthy(lines),
                said=", ".join(filter(None, parts)) or "Everything is as it should be",
            )
        )
