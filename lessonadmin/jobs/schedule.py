"""The one periodic table: what the clock does, and how often. Everything in it is safe to do twice at once."""

from collections.abc import Callable
from dataclasses import dataclass

from lessonadmin import config
from lessonadmin.db import JOB
from lessonadmin.domain import hourly_statistics
from lessonadmin.domain.figures import kept_sums
from lessonadmin.domain.health import alarms, mux_usage
from lessonadmin.domain.maintenance import retention, sweep
from lessonadmin.jobs import counting, reconciling

Heartbeat = Callable[[], None]


@dataclass(frozen=True)
class Periodic:
    """Something that is done every so many seconds, the first time `after` so many; a long one leaves heartbeats in between."""

    name: str
    seconds: Callable[[], float]
    run: Callable[[Heartbeat], object]
    after: float = 0.0


TABLE = (
    Periodic(
        "sweep",
        lambda: config.current().sweep_every_seconds,
        lambda heartbeat: sweep.sweep(heartbeat, with_workers=True),
    ),
    # workers start together with the clock: checked at once, they would seem silent since the last stop
    Periodic("alarms", lambda: 60, lambda _: alarms.look(actor=JOB), after=20),
    Periodic("figures", lambda: 60, lambda _: hourly_statistics.roll_up()),
    Periodic("stored", lambda: 3600, lambda _: mux_usage.count_stored()),
    Periodic("delivered", lambda: 6 * 3600, lambda _: mux_usage.ask_delivered()),
    Periodic("watched", lambda: 600, lambda _: counting.ask_when_due()),
    Periodic("sums", lambda: 60, lambda _: kept_sums.renew()),
    Periodic("retention", lambda: 3600, lambda _: retention.prune()),
    # after a deployment or a restore the operator looks first, and reconciles by hand if at all
    Periodic("reconcile", lambda: 1800, lambda _: reconciling.ask_when_due(), after=600),
)
