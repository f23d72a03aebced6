"""The battery: each fault alone, then pairs, under a steady load; how long until everything is right, and what was lost, doubled or wrong.

Run: ``bin/bench faults`` (about ten minutes; ``ONLY="Redis paused,worker killed" bin/bench faults`` for some of them, a pair is named with
``+``). Faults follow each other as soon as everything is right again. It is red if anything is lost, doubled or wrong, if being right takes
longer than is promised, or if a webhook or /healthz waits for more than two seconds while web itself is not held.
"""

import os
import sys
import time

from bench.endurance import trial, verdict
from bench.endurance.faults import BY_NAME, DISK_FULL, PAIRS, TABLE, may_mount
from bench.endurance.trial import MAX_ANSWER_SECONDS, PROMISED_SECONDS, Trial
from devstack.servers import for_tests
from tests.settings import migrate

LESSONS_A_SECOND = float(os.environ.get("LESSONS_A_SECOND", "1.5"))
ABOUT_SECONDS = 900.0
BETWEEN_SECONDS = 4.0


def wanted(*, disk: bool) -> list[tuple[str, ...]]:
    if only := os.environ.get("ONLY"):
        found = [tuple(name.strip() for name in one.split("+")) for one in only.split(",")]
        assert all(name in BY_NAME for names in found for name in names), f"there are: {', '.join(BY_NAME)}"
        return found
    return [(one.name,) for one in TABLE if disk or one.name != DISK_FULL] + list(PAIRS)


def measure(found: Trial, names: tuple[str, ...]) -> list[str]:
    """One row; what is not good enough."""
    before = len(found.school.samples)
    struck = found.strike(*names)
    time.sleep(1.0)
    clean, facts = verdict.wait_until_right(
        found.stack, found.school.journal, seconds=PROMISED_SECONDS, by=struck.ended
    )
    took = verdict.seconds_after(struck.ended, verdict.delays(found.school.journal, facts))
    answers = [
        one for one in found.school.samples[before:] if not struck.holds_web or one.at > struck.ended + 5
    ]
    slowest = max((one.seconds for one in answers), default=0.0)
    figures = ", ".join(f"{name} {len(getattr(clean, name))}" for name in ("lost", "doubled", "wrong"))
    held = "web itself was held" if struck.holds_web else f"slowest answer {slowest:.2f} s"
    print(
        f"{struck}\t{took:.1f} s\t{figures}, {held}, lasted {struck.ended - struck.began:.0f} s", flush=True
    )
    wrong = [] if clean.is_clean else [f"{struck}: {clean}"]
    wrong += [f"{struck}: an answer took {slowest:.2f} s"] if slowest > MAX_ANSWER_SECONDS else []
    return wrong + ([f"{struck}: right again after {took:.0f} s"] if took > struck.promised_seconds else [])


def main() -> int:
    disk = may_mount()
    if not disk:
        print(f"left out, since this user may not mount: {DISK_FULL}", flush=True)
    wrong: list[str] = []
    with (
        for_tests.for_one_run(migrate),
        trial.running(seed=1, seconds=ABOUT_SECONDS, lessons_a_second=LESSONS_A_SECOND, disk=disk) as found,
    ):
        for names in wanted(disk=disk):
            time.sleep(BETWEEN_SECONDS)
            wrong += measure(found, names)
        clean, _ = found.verdict()
        wrong += [] if clean.is_clean else [f"in the end: {clean}"]
        print(f"in the end, {len(found.school.journal.stories)} lessons\t{clean}\t", flush=True)
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
