"""The doctor in the panel: the same lines as `flask doctor`."""

from lessonadmin import auth
from lessonadmin.admin.framework.base import PanelPage
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.web.formats import plural

DOCTOR_SECONDS = 6.0


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
                lines=lines,
                healthy=all_checks.healthy(lines),
                said=", ".join(filter(None, parts)) or "No problems found",
            )
        )
