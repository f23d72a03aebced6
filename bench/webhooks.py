"""Webhooks that publish lessons, a second: this product beside a bare view, Django, Node and the database alone.

Run: ``bin/bench webhooks`` (``EVENTS=300 ROUNDS=1 BACKLOG=2000 SECONDS=3 bin/bench webhooks`` for less). All in one run, in turn,
on one PostgreSQL with fsync on and a fresh database each; the figures are medians of the rounds, the ratios those of the
rounds' ratios. The product runs as the Procfile has it, with its log and its metrics. The peers (`bench/peers/`) write to plain tables
with keys and few indexes, and keep no log. The sender shares the machine with all of them, so read the ratios.

After the rounds the product alone has to stand a fixed rate, a backlog, and single webhooks on an idle system. It fails
where an aim is missed, and where a lesson is lost or published twice.
"""

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.peers import environment as peers_environment
from bench.workload import receivers, webhook_burst, webhook_rows, webhook_trials
from bench.workload.receivers import Receiver
from bench.workload.sender import quantile
from bench.workload.servers import OWNER, servers
from bench.workload.webhook_burst import WARM_UP, Burst
from devstack.servers.postgres import Postgres

EVENTS = int(os.environ.get("EVENTS", "3000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
BACKLOG = int(os.environ.get("BACKLOG", "100000"))
SECONDS = float(os.environ.get("SECONDS", "20"))
PRODUCT, STORE_ONLY, BARE, DJANGO, NODE = "product", "product, store only", "bare view", "Django", "Node"
SLOW = 3  # how many times fewer events those get that take several times as long
MAX_GROWTH = 200.0  # of the backlog at a fixed rate: one batch of the applier
Settings = dict[str, str]
Start = Callable[[Settings], AbstractContextManager[Receiver]]


def say(name: str, figure: str, remark: str) -> None:
    print(f"{name}\t{figure}\t{remark}", flush=True)


class Bench:
    """One PostgreSQL with a database for each measurement, and what was not good enough so far."""

    def __init__(self, postgres: Postgres, environment: Settings) -> None:
        self.postgres = postgres
        self.environment = environment
        self.server = webhook_burst.postmaster(postgres.data)
        self.wrong: list[str] = []
        self._made = 0

    def database(self, lessons: int) -> Settings:
        """A migrated database of its own with so many lessons; the environment that names it."""
        self._made += 1
        name = f"measured{self._made}"
        self.postgres.create_database(name, template="bench")
        webhook_rows.seed(self.postgres.url(name), lessons)
        with self.postgres.superuser() as connection:
            connection.execute(
                "CHECKPOINT"
            )  # nothing of what was before is written while the next one is measured
        return self.environment | {
            "DATABASE_URL": self.postgres.app_url(name),
            OWNER: self.postgres.url(name),
        }

    def aim(
        self, what: str, figure: float, *, least: float | None = None, below: float | None = None
    ) -> None:
        """A figure with its bound."""
        holds = figure >= least if least is not None else figure < (below or 0)
        bound = f"at least {least:g}" if least is not None else f"below {below:g}"
        say(f"aim: {what}", f"{figure:,.2f}", f"{bound}: {'holds' if holds else 'MISSED'}")
        if not holds:
            self.wrong.append(f"{what}: {figure:,.2f}, {bound} is wanted")

    def check(self, what: str, address: str, events: int) -> None:
        """Everything applied, each event once."""
        with webhook_rows.connect(address) as database:
            self.wrong += [f"{what}: {one}" for one in webhook_rows.complaints(database, events)]


def burst(bench: Bench, name: str, start: Start) -> Burst:
    """One round of one receiver."""
    events = EVENTS // SLOW if name == DJANGO else EVENTS
    settings = bench.database(WARM_UP + events)
    address = settings["DATABASE_URL"]
    if name == BARE:
        settings["DATABASE_URL"] = settings[OWNER]
    if name in (DJANGO, NODE):
        settings["DATABASE_URL"] = webhook_rows.plainly(settings[OWNER])
    with webhook_rows.connect(settings["DATABASE_URL"]) as database:
        with start(settings) as receiver:
            found = webhook_burst.fire(
                receiver, database, bench.server, events=events, drains=name == PRODUCT
            )
            if name == STORE_ONLY and webhook_rows.stored(database) != WARM_UP + events:
                bench.wrong.append(f"{name}: not every event was stored")
        if name in (DJANGO, NODE) and webhook_rows.published(database) != WARM_UP + events:
            bench.wrong.append(f"{name} did not publish every lesson")
    if name == PRODUCT:
        bench.check(name, address, WARM_UP + events)
    return found


def rounds(bench: Bench) -> dict[str, list[Burst]]:
    peers = peers_environment.ensure()
    starts: dict[str, Start] = {
        PRODUCT: receivers.product,
        NODE: lambda settings: receivers.node(settings, peers),
        STORE_ONLY: lambda settings: receivers.product(settings, applying=False),
        BARE: receivers.bare,
        DJANGO: lambda settings: receivers.django(settings, peers),
    }
    found: dict[str, list[Burst]] = {name: [] for name in starts}
    for _ in range(ROUNDS):
        for name, start in starts.items():
            found[name].append(burst(bench, name, start))
    return found


def ratio(found: dict[str, list[Burst]], other: str, read: Callable[[Burst], float]) -> float:
    """The product's figure beside another's, the median of the rounds."""
    pairs = zip(found[PRODUCT], found[other], strict=True)
    return statistics.median(read(ours) / read(theirs) for ours, theirs in pairs)


def report(bench: Bench, found: dict[str, list[Burst]]) -> None:
    for name, bursts in found.items():
        middle = webhook_burst.median(bursts)
        each = ", ".join(f"{one.rate:.0f}" for one in bursts)
        say(name, f"{middle.rate:.0f} events/s", f"{middle.remark}; rounds {each}")
    ours = webhook_burst.median(found[PRODUCT])
    say(
        "product, applied meanwhile and after",
        f"{ours.applied:.0f}/s",
        f"none waited {ours.drain:.1f} s after the burst",
    )
    same = webhook_rows.same_rows(bench.database(EVENTS)[OWNER], EVENTS)
    say(
        "pgbench, the same rows, one event a commit",
        f"{same:.0f}/s",
        f"applied: {ours.applied / same:.2f} times that",
    )
    say(
        "ratio to the bare view",
        f"{ratio(found, BARE, lambda one: one.rate):.2f}",
        "answered, with the applier working",
    )
    bench.aim("answered beside Node", ratio(found, NODE, lambda one: one.rate), least=1.2)
    bench.aim("answered beside Django", ratio(found, DJANGO, lambda one: one.rate), least=6)
    bench.aim("p99 of an answer, ms", ours.p99, below=20)
    bench.aim("applied a second", ours.applied, least=1000)
    bench.aim("applied beside Django", ratio(found, DJANGO, lambda one: one.applied), least=2)


@contextmanager
def alone(bench: Bench, lessons: int) -> Iterator[tuple[Receiver, str]]:
    """The product on a database of its own and warm, with so many lessons that still wait."""
    settings = bench.database(WARM_UP + lessons)
    address = settings["DATABASE_URL"]
    with receivers.product(settings) as receiver:
        with webhook_rows.connect(address) as database:
            webhook_burst.warm_up(receiver, database)
            webhook_burst.wait_until_drained(database)
        yield receiver, address


def sustained(bench: Bench) -> None:
    lessons = int(webhook_trials.RATE * SECONDS)
    with alone(bench, lessons) as (receiver, address):
        found = webhook_trials.sustain(receiver, address, SECONDS)
        bench.check("at a fixed rate", address, WARM_UP + lessons)
    answers = (
        f"answers p50 {found.result.milliseconds(0.5):.1f} ms, p99 {found.result.milliseconds(0.99):.1f} ms"
    )
    delays = f"received to published p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms"
    say(
        f"{webhook_trials.RATE:.0f} a second for {SECONDS:g} s",
        f"{found.result.rate:.0f} events/s",
        f"{answers}; {delays}",
    )
    say(
        "its backlog", f"{found.most:.0f} at most", f"{found.growth:+.0f} from the second to the last quarter"
    )
    bench.aim("sustained a second", found.result.rate, least=webhook_trials.RATE * 0.99)
    bench.aim("growth of the backlog meanwhile", found.growth, below=MAX_GROWTH)


def drained(bench: Bench) -> None:
    with alone(bench, BACKLOG + BACKLOG // 5) as (receiver, address):
        found = webhook_trials.drain(receiver, address, BACKLOG)
        bench.check("a backlog", address, WARM_UP + BACKLOG + found.result.statuses.get(204, 0))
    if found.result.wrong:
        bench.wrong.append(f"wrong answers beside a backlog: {found.result.wrong}")
    say(
        f"a backlog of {BACKLOG:,}",
        f"{found.seconds:.1f} s",
        f"{len(found.result.waits)} new ones and {len(found.pages)} pages meanwhile",
    )
    bench.aim("applied of a backlog a second", found.rate, least=1000)
    bench.aim("p99 of a new one's answer meanwhile, ms", found.result.milliseconds(0.99), below=20)
    bench.aim("slowest page meanwhile, ms", max(found.pages, default=float("inf")), below=300)


def idle(bench: Bench) -> None:
    count = max(int(SECONDS * 5), 10)
    with alone(bench, count) as (receiver, address):
        found = webhook_trials.trickle(receiver, address, count)
        bench.check("idle", address, WARM_UP + count)
    say("one webhook each 100 ms", f"{found.at_once} of {count}", "were published when they were answered")
    bench.aim("idle, p50 from sent to published, ms", quantile(found.waits, 0.5), below=50)
    bench.aim("idle, p99 from sent to published, ms", quantile(found.waits, 0.99), below=250)


def main() -> int:
    with servers() as (postgres, environment):
        bench = Bench(postgres, environment)
        report(bench, rounds(bench))
        sustained(bench)
        drained(bench)
        idle(bench)
    for one in bench.wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
