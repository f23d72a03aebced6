"""`flask reconcile` over a Mux of 100,000 assets: calls, time, and the memory that it takes at most.

The walk runs in a process of its own against the simulator in another. The shared budget for Mux, one call a second, is
lifted for the bench only: with it, the walk takes as many seconds as it makes calls. Run: ``bin/bench reconcile``
"""

import argparse
import json
import os
import subprocess
import sys
import time

import psycopg

from bench.uploads import simulator
from devstack.places import ROOT
from devstack.servers import for_tests
from muxsim.client import Control
from tests.settings import environment

WALK = """
import json, resource
from lessonadmin import create_app
from lessonadmin.db import CLI
from lessonadmin.domain import mux_budget
from lessonadmin.domain.reconciliation import reconcile
mux_budget.CAPACITY, mux_budget.PER_SECOND = 1e9, 1e9
with create_app().app_context():
    report = reconcile.run(actor=CLI, started_by="bench", fix=False)
print(json.dumps([report.pages, report.assets, dict(report.found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def seed(database: str, asset_ids: list[str]) -> None:
    """A lesson for each asset but every thousandth, which no row uses."""
    with psycopg.connect("postgresql://" + database.partition("://")[2]) as connection:
        teacher = connection.execute(
            "INSERT INTO users (id, email, name, role, password_hash) VALUES"
            " (gen_random_uuid(), 'bench@school.example', 'Bench', 'instructor', 'x') RETURNING id"
        ).fetchone()
        assert teacher is not None
        connection.execute(
            "INSERT INTO lessons (id, creator_id, title, status, video_processing_status, mux_asset_id)"
            " SELECT gen_random_uuid(), %s, 'Lesson', 'published', 'ready', asset FROM unnest(%s::text[]) asset",
            (teacher[0], [one for number, one in enumerate(asset_ids) if number % 1000]),
        )
        connection.execute("ANALYZE lessons")


def measure(assets: int) -> list[tuple[str, str]]:
    def migrate(url: str) -> None:
        nowhere = environment(database_url=url, redis_url="redis://127.0.0.1:1/0")
        for_tests.run_flask("db", "upgrade", settings=nowhere)

    with for_tests.for_one_run(migrate) as running, simulator() as (url, _):
        control = Control(url)
        note = '{"lesson_id":"00000000-0000-4000-8000-000000000001","app":"lessonadmin"}'
        ids: list[str] = []
        while len(ids) < assets:
            ids += control.seed_assets(min(20_000, assets - len(ids)), passthrough=note, created_at=0)
        database = running.database("bench_reconcile")
        seed(database, ids)
        settings = environment(
            database_url=database,
            redis_url=running.redis_url(0),
            MUX_API_URL=url,
            MUX_TOKEN_ID="bench",
            MUX_TOKEN_SECRET="secret",
            MUX_WORKER_TOKEN_ID="bench",
            MUX_WORKER_TOKEN_SECRET="secret",
        )
        return _walk(settings, assets)


def _walk(settings: dict[str, str], assets: int) -> list[tuple[str, str]]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    took = time.perf_counter() - began
    pages, seen, found, kilobytes = json.loads(done.stdout)
    assert seen == assets
    assert found == {"orphan": -(-assets // 1000)}, found
    return [
        (f"{assets:,} assets: calls to Mux", f"{pages:,}"),
        (f"{assets:,} assets: time without the budget", f"{took:.1f} s"),
        (f"{assets:,} assets: peak memory of the walk", f"{kilobytes / 1024:.0f} MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="A walk over many assets, and over few for comparison.")
    parser.add_argument("--assets", type=int, default=100_000)
    given = parser.parse_args()
    for assets in (max(100, given.assets // 100), given.assets):
        for name, figure in measure(assets):
            print(f"{name}  {figure}")


if __name__ == "__main__":
    main()
