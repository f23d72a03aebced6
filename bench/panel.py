"""The support panel with a million lessons, beside itself with ten thousand, a stock Flask-Admin and a Django admin.

Run: ``bin/bench panel`` (``LESSONS=100000 bin/bench panel`` for less). One PostgreSQL with fsync on, everything in one
run. The figure is the median in milliseconds; the remark says how many statements, and how that compares. It fails if a
page takes 100 ms or more, sends more than 15 statements, grows more than 1.5 times, or is slower than it may be.

The other two admins are measured twice: on the product's table, whose indexes serve them too and where they may not be quicker
anywhere; and on the same rows as a plain model keeps them, where search, sort and deep pages must take five times as long.
"""

import json
import os
import subprocess
import sys

from bench.seed_panel import copy_plainly, seed
from bench.workload.panel_addresses import BESIDE
from bench.workload.servers import OWNER, ROOT, servers

SMALL = 10_000
LARGE = int(os.environ.get("LESSONS", "1000000"))
MAX_MILLISECONDS, MAX_QUERIES, MAX_GROWTH = 100.0, 15, 1.5
NOISE_MILLISECONDS = 3.0  # of two measurements of one page; a growth of less says nothing
MAX_MEGABYTES = 20.0  # that a batch may come to hold while it works
Figures = dict[str, list[float]]


def command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def ask(what: str, environment: dict[str, str]) -> Figures:
    """One measuring process; the JSON of its last line."""
    ran = subprocess.run(
        command("bench.workload.panel_pages", what),
        env=os.environ | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Figures = json.loads(ran.stdout.splitlines()[-1])
    return found


def say(name: str, figure: str, remark: str) -> None:
    print(f"{name}\t{figure}\t{remark}", flush=True)


def report(small: Figures, large: Figures) -> list[str]:
    """A row a page; what is not good enough."""
    wrong = []
    for name, (milliseconds, queries) in large.items():
        before = small[name][0]
        growth = milliseconds / before
        say(name, f"{milliseconds:.1f} ms", f"{queries:.0f} statements, {growth:.2f} x that of {SMALL:,}")
        if milliseconds >= MAX_MILLISECONDS:
            wrong.append(f"{name}: {milliseconds:.0f} ms")
        if queries > MAX_QUERIES:
            wrong.append(f"{name}: {queries:.0f} statements")
        if growth > MAX_GROWTH and milliseconds - before > NOISE_MILLISECONDS:
            wrong.append(f"{name}: {growth:.2f} times that of {SMALL:,}")
    return wrong


def beside(ours: Figures, theirs: Figures, whose: str, *, plain: bool) -> list[str]:
    wrong = []
    for other, (mine, at_least) in BESIDE.items():
        milliseconds, queries = theirs[other]
        times, wanted = milliseconds / ours[mine][0], at_least if plain else 1.0
        say(f"{whose}: {other}", f"{milliseconds:.1f} ms", f"{queries:.0f} statements, {times:.1f} x ours")
        if times < wanted:
            wrong.append(f"{mine}: {whose} takes {times:.1f} times as long, {wanted:g} is wanted")
    return wrong


def besides(ours: Figures, environment: dict[str, str]) -> list[str]:
    """Both other admins, on both tables."""
    on_ours = environment | {"DATABASE_URL": environment[OWNER]}
    on_plain = environment | {"DATABASE_URL": copy_plainly(environment[OWNER])}
    wrong = []
    for what, name in (("stock", "stock Flask-Admin"), ("django", "Django admin")):
        wrong += beside(ours, ask(what, on_ours), f"{name}, our table", plain=False)
        wrong += beside(ours, ask(what, on_plain), f"{name}, plain table", plain=True)
    return wrong


def publish(environment: dict[str, str]) -> list[str]:
    """Fifty thousand lessons as a batch, and the panel meanwhile."""
    with subprocess.Popen(
        command("bench.workload.panel_batch"), env=os.environ | environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as working:  # fmt: skip
        assert working.stdout is not None
        for line in working.stdout:
            if line.startswith("working"):
                break
        meanwhile = ask("meanwhile", environment)
        all_the_while = working.poll() is None
        said = working.communicate(timeout=1200)[0]
    return _published(json.loads(said.splitlines()[-1])) + _meanwhile(meanwhile, all_the_while)


def _published(seen: dict[str, float]) -> list[str]:
    rate = seen["rows"] / seen["seconds"]
    grown = seen["memory_most"] - seen["memory_first"]
    rest = seen["rows"] - seen["done"]
    say(
        f"publish {seen['rows']:,.0f} lessons as a batch",
        f"{rate:.0f} rows/s",
        f"{seen['seconds']:.0f} s, written down in {seen['writing']:.1f} s, {rest:.0f} not published",
    )
    say("its memory", f"{seen['memory_most']:.0f} MB", f"{grown:+.1f} MB after its first 5 seconds")
    say("its calls to Mux", f"{seen['calls']:.0f}", "none are needed to publish what is ready")
    wrong = [f"the batch grew by {grown:.0f} MB"] if grown > MAX_MEGABYTES else []
    return wrong + ([f"{rest:.0f} lessons of the batch were not published"] if rest else [])


def _meanwhile(pages: Figures, all_the_while: bool) -> list[str]:
    for name, (milliseconds, queries) in pages.items():
        say(f"while it works: {name}", f"{milliseconds:.1f} ms", f"{queries:.0f} statements")
    return [] if all_the_while else ["the batch ended before the pages were measured beside it"]


def main() -> int:
    with servers() as (postgres, environment):
        postgres.create_database("small")
        little = environment | {"DATABASE_URL": postgres.app_url("small"), OWNER: postgres.url("small")}
        subprocess.run(
            command("flask", "--app", "app", "db", "upgrade"),
            env=os.environ | little,
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        say(f"seeding {SMALL:,} lessons", f"{seed(postgres.url('small'), SMALL):.0f} s", "")
        say(f"seeding {LARGE:,} lessons", f"{seed(postgres.url('bench'), LARGE):.0f} s", "")
        ours = ask("product", environment)
        wrong = report(ask("product", little), ours)
        wrong += besides(ours, environment)
        wrong += publish(environment)
    for one in wrong:
        print(f"NOT GOOD ENOUGH: {one}")
    return 1 if wrong else 0
