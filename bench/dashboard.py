"""The operations page on a million lessons: how long it takes to answer, for each span. Run: ``bin/bench dashboard``"""

import argparse
import statistics
import time

import psycopg

from devstack import servers
from tests.settings import environment

SEED = """
INSERT INTO users (id, email, name, role, password_hash)
VALUES (gen_random_uuid(), 'bench@school.example', 'Bench', 'instructor', 'x');
INSERT INTO lessons (id, creator_id, title, status, video_processing_status, mux_asset_id, mux_playback_id, created_at)
SELECT gen_random_uuid(), (SELECT id FROM users), 'Lesson ' || n, 'published', 'ready', 'asset' || n, 'playback' || n,
       clock_timestamp() - n * interval '20 seconds' FROM generate_series(1, {count}) n;
INSERT INTO mux_asset_tracking (id, lesson_id, owner_id, upload_id, mux_asset_id, mux_playback_id, playback_policy,
                                wanted_policy, status, error_type, created_at, updated_at, ready_at, duration)
SELECT gen_random_uuid(), id, creator_id, 'upload' || mux_asset_id, mux_asset_id, mux_playback_id, 'public', 'public',
       CASE WHEN random() < 0.02 THEN 'error' ELSE 'ready' END, 'asset_errored',
       created_at, created_at + interval '1 minute', created_at + interval '1 minute', 300
  FROM lessons;
"""


def seed(database: str, count: int) -> None:
    with psycopg.connect("postgresql://" + database.partition("://")[2]) as connection:
        for statement in SEED.format(count=count).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    with psycopg.connect("postgresql://" + database.partition("://")[2], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def measure(database: str, redis_url: str) -> list[tuple[str, str]]:
    from lessonadmin import config, create_app
    from lessonadmin.domain import figures
    from tests import factories

    app = create_app(config.load(environment(database_url=database, redis_url=redis_url)))
    factories.application = app
    rows = []
    with app.app_context():
        began = time.perf_counter()
        hours = figures.roll_up()
        rows.append((f"rolling up the first {hours} hours", f"{time.perf_counter() - began:.1f} s"))
    browser = factories.signed_in(factories.make_user(role="support"))
    for span in ("24h", "7d", "30d"):
        spent = []
        for _ in range(20):
            began = time.perf_counter()
            assert browser.get(f"/admin/?span={span}").status_code == 200
            spent.append((time.perf_counter() - began) * 1000)
        rows.append((f"operations page, {span}: median", f"{statistics.median(spent):.0f} ms"))
        rows.append((f"operations page, {span}: slowest of 20", f"{max(spent):.0f} ms"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=1_000_000)
    given = parser.parse_args()

    def migrate(url: str) -> None:
        nowhere = environment(database_url=url, redis_url="redis://127.0.0.1:1/0")
        servers.run_flask("db", "upgrade", settings=nowhere)

    with servers.for_one_run(migrate) as running:
        database = running.database("bench_dashboard")
        seed(database, given.lessons)
        for name, figure in measure(database, running.redis_url(0)):
            print(f"{name}  {figure}")


if __name__ == "__main__":
    main()
