"""The doctor in the panel: the same lines as `flask doctor`."""

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.health.doctor.examination import Line
from lessonadmin.text.plurals import plural

DOCTOR_SECONDS = 6.0
# name of a line -> where in the panel its problem is looked at: what the link says, endpoint, arguments
LINKS: dict[str, tuple[str, str, dict[str, str]]] = {
    "failed events": ("Open the failed events", "admin_event.index_view", {"view": "failed"}),
    "deletions": ("Open the failing deletions", "admin_deletion.index_view", {"view": "failing"}),
    "stuck videos": ("Open the stuck lessons", "admin_lesson.index_view", {"view": "stuck"}),
    "overdue checks": ("Open the uploads", "admin_tracking.index_view", {"view": "needs-attention"}),
    "queues": ("Open the jobs", "admin_jobs.index", {}),
    "workers": ("Open the jobs", "admin_jobs.index", {}),
}


class DoctorPage(PanelPage):
    slug, icon = "doctor", "doctor"

    @expose("/")
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
                problems=sorted((line for line in lines if line.level != "ok"), key=_urgency),
                fine=[line for line in lines if line.level == "ok"],
                links=LINKS,
                said=", ".join(filter(None, parts)) or "No problems found",
            )
        )


def _urgency(line: Line) -> bool:
    """What fails comes before what only warns."""
    return line.level != "FAIL"
