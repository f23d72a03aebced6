"""Ten minutes of a school at work with a fault a minute, by lot, some of them in pairs: lost 0, doubled 0, wrong 0, and nothing grows.

Run: ``bin/bench soak`` (``SECONDS=120 EVERY=30 bin/bench soak`` for less; ``SEED=7 bin/bench soak`` repeats the faults of a run, which
prints its seed). It is red if anything is lost, doubled or wrong, if a change takes longer than is promised, if a webhook or /healthz waits for
more than two seconds or one of a hundred for more than 250 ms, or if memory, connections, open files or keys in Redis are not flat.
"""

import os
import random
import secrets
import sys
import time

from bench.endurance import growth, trial, verdict
from bench.endurance.faults import DISK_FULL, PAIRS, TABLE, may_mount
from bench.endurance.trial import MAX_ANSWER_SECONDS, Trial
from bench.workload.sender import quantile
from devstack.servers import for_tests
from tests.settings import migrate

SECONDS = float(os.environ.get("SECONDS", "600"))
EVERY = float(os.environ.get("EVERY", "60"))
LESSONS_A_SECOND = float(os.environ.get("LESSONS_A_SECOND", "1.5"))
P99_SECONDS = 0.25
QUIET_SECONDS = 30.0  # before the first fault, and after the last one
FORGOTTEN_AFTER_SECONDS = 100.0  # Redis keeps what a worker that was killed has left for so long


def say(name: str, figure: str, remark: str = "") -> None:
    print(f"{name}\t{figure}\t{remark}", flush=True)


def plan(luck: random.Random, *, disk: bool) -> list[tuple[str, ...]]:
    """A fault for each minute: as many different ones as there are minutes; every third one is a pair."""
    singles = [(one.name,) for one in TABLE if disk or one.name != DISK_FULL]
    pairs = list(PAIRS)
    luck.shuffle(singles)
    luck.shuffle(pairs)
    count = max(1, int((SECONDS - QUIET_SECONDS) // EVERY))
    return [
        pairs[number // 3 % len(pairs)] if number % 3 == 2 else singles[number % len(singles)]
        for number in range(count)
    ]


def strike_all(found: Trial, faults: list[tuple[str, ...]]) -> growth.Sizes:
    """The sizes before the first one."""
    time.sleep(QUIET_SECONDS)
    first = growth.measure(found.stack)
    began = time.monotonic()
    for number, names in enumerate(faults):
        time.sleep(max(0.0, began + number * EVERY - time.monotonic()))
        struck = found.strike(*names)
        print(f"  fault: {struck}, for {struck.ended - struck.began:.0f} s", flush=True)
    time.sleep(max(0.0, began + len(faults) * EVERY - time.monotonic()))
    return first


def report(found: Trial, first: growth.Sizes) -> list[str]:
    """A row for each figure; what is not good enough."""
    clean, facts = found.verdict()
    journal = found.school.journal
    changes = verdict.delays(journal, facts)
    say("lessons saved", str(len(journal.stories)), f"{verdict.unfinished(journal)} of them without an end")
    say(
        "webhooks acknowledged",
        str(len(facts.delivered | journal.acknowledged)),
        f"{sum(journal.unanswered.values())} requests had to be sent again",
    )
    wrong = []
    for name in ("lost", "doubled", "wrong"):
        said = getattr(clean, name)
        say(name, str(len(said)), "; ".join(said[:3]))
        wrong += [f"{name}: {len(said)}"] if said else []
    for one in found.faults:
        took = verdict.seconds_after(one.ended, changes)
        say(f"right again after {one}", f"{took:.1f} s", f"the fault lasted {one.ended - one.began:.0f} s")
        wrong += [f"{one}: right again after {took:.0f} s"] if took > one.promised_seconds else []
    for kind in ("webhook", "healthz"):
        wrong += report_answers(kind, found.answers(kind))
    return wrong + report_growth(found, first)


def report_answers(kind: str, seconds: list[float]) -> list[str]:
    """While no fault held web itself."""
    slowest, p99 = max(seconds), quantile(seconds, 0.99)
    say(
        f"slowest answer of a {kind}",
        f"{slowest:.2f} s",
        f"p99 {1000 * p99:.0f} ms, of {len(seconds)} while no fault held web itself",
    )
    wrong = [f"a {kind} waited for {slowest:.2f} s"] if slowest > MAX_ANSWER_SECONDS else []
    return wrong + ([f"p99 of a {kind} is {1000 * p99:.0f} ms"] if p99 > P99_SECONDS else [])


def report_growth(found: Trial, first: growth.Sizes) -> list[str]:
    found.school.end()
    time.sleep(FORGOTTEN_AFTER_SECONDS)
    last = growth.measure(found.stack)
    for name, one in first.items():
        say(
            name,
            f"{last[name].value:.0f} {one.unit}",
            f"{one.value:.0f} before the first fault, at most {one.may_become():.0f}",
        )
    return growth.grown(first, last)


def main() -> int:
    seed = int(os.environ.get("SEED") or secrets.randbelow(10_000))
    disk = may_mount()
    print(
        f"seed {seed}" + ("" if disk else f"; left out, since this user may not mount: {DISK_FULL}"),
        flush=True,
    )
    with (
        for_tests.for_one_run(migrate),
        trial.running(seed=seed, seconds=SECONDS + 60, lessons_a_second=LESSONS_A_SECOND, disk=disk) as found,
    ):
        wrong = report(found, strike_all(found, plan(random.Random(seed), disk=disk)))
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
