"""What row-level security costs: the same pages and webhooks with the policies in force, and as one role that does all.

Run: ``bin/bench walls`` (``LESSONS=100000 bin/bench walls`` for more). Both work on the same rows, turn by turn, each in a process of its
own. The figure is the time with the policies, the remark how many times the time without them that is. It fails if the panel or a webhook
takes more than a tenth longer, or the pages of instructors and students, whose statements the policies narrow, more than a third.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from bench.seed_panel import seed
from bench.workload.servers import OWNER, ROOT, servers

LESSONS = int(os.environ.get("LESSONS", "20000"))
TURNS = 12
GROUPS = {
    "panel": ("the panel", 1.10),
    "own": ("instructors and students", 1.33),
    "webhook": ("a webhook", 1.10),
}

Figures = dict[str, float]


class Worker:
    """A process that measures everything once whenever it is told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def turn(self) -> Figures:
        """Milliseconds by name."""
        self._in.write("go\n")
        self._in.flush()
        found: Figures = json.loads(self._out.readline())
        return found


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[Worker]:
    command = [sys.executable, "-m", "bench.workload.walls_pages"]
    with subprocess.Popen(
        command,
        env=os.environ | environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def medians(turns: list[Figures]) -> Figures:
    return {name: statistics.median(one[name] for one in turns) for name in turns[0]}


def report(with_policies: Figures, without: Figures) -> list[str]:
    """A row for each, and for each group; what took too long."""
    wrong = []
    for name, milliseconds in with_policies.items():
        print(f"{name}\t{milliseconds:.2f} ms\t{milliseconds / without[name]:.2f} x as one role", flush=True)
    for group, (words, most) in GROUPS.items():
        names = [name for name in with_policies if name.startswith(group)]
        times = sum(with_policies[name] for name in names) / sum(without[name] for name in names)
        print(f"all of {words}\t{times:.2f} x\tat most {most:.2f}", flush=True)
        if times > most:
            wrong.append(f"{words}: {times:.2f} times as long, {most:.2f} is allowed")
    return wrong


def main() -> int:
    with servers() as (_, environment), ExitStack() as stack:
        print(f"seeding {LESSONS:,} lessons\t{seed(environment[OWNER], LESSONS):.0f} s\t", flush=True)
        walled = stack.enter_context(worker(environment))
        plain = stack.enter_context(worker(environment | {"DATABASE_URL": environment[OWNER]}))
        walled.turn(), plain.turn()  # the first one of each is cold
        turns = [(walled.turn(), plain.turn()) for _ in range(TURNS)]
    wrong = report(medians([one for one, _ in turns]), medians([one for _, one in turns]))
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return 1 if wrong else 0
