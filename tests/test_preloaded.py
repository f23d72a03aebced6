"""What starts from a process that has loaded the libraries is as if Python itself had started it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from devstack.places import ROOT
from tests import preloaded
from tests.settings import environment

NOWHERE = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "redis_url": "redis://127.0.0.1:1/0"}
FLASK = (sys.executable, "-m", "flask", "--app", "app")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **environment(**NOWHERE), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}


@pytest.mark.parametrize(
    ("words", "without", "code"),
    [
        (["users", "--help"], "", 0),
        (["no-such-command"], "", 2),
        (["users", "--help"], "SECRET_KEY", 1),
    ],
)
def test_it_says_and_ends_as_by_subprocess(
    env: dict[str, str], words: list[str], without: str, code: int
) -> None:
    env.pop(without, None)
    done = preloaded.run([*FLASK, *words], env=env)
    expected = subprocess.run(
        [*FLASK, *words], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, expected.stdout, expected.stderr)
    assert done.stdout + done.stderr


def test_a_line_of_the_procfile_runs_with_its_settings_until_it_is_told_to_end(
    env: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as log:
        line = "gunicorn --bind 127.0.0.1:${NO_PORT:-0} --workers ${WORKERS:-2} --no-control-socket app:app"
        process = preloaded.start_line(line, env={**env, "WORKERS": "1"}, stdout=log)
    seen = psutil.Process(process.pid)
    until = time.monotonic() + 30
    while len(seen.children()) != 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert (len(seen.children()), process.poll()) == (1, None), (tmp_path / "log").read_text()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.terminate()
    assert process.wait(20) == 0
    assert not seen.is_running()
    process.terminate()  # as Popen: nothing is sent to what has ended


def test_it_has_libraries_and_nothing_of_the_product_from_before(env: dict[str, str]) -> None:
    """`this` is what a test can have said: how a module's file is run, and what was there before it."""
    found = preloaded.run([sys.executable, "-m", "tests.preloaded_look"], env=env)
    assert found.returncode == 0, found.stderr
    modules = set(found.stdout.split())
    assert {"sqlalchemy.orm", "flask_admin", "gunicorn.arbiter", "rq"} <= modules
    assert not {one for one in modules if one.startswith(("lessonadmin", "prometheus_client"))}


def test_one_that_is_killed_says_so(env: dict[str, str]) -> None:
    with tempfile.TemporaryFile() as said:
        process = preloaded.start([*FLASK, "users", "--help"], env=env, stdout=said)
        process.kill()
        assert process.wait(20) == -signal.SIGKILL
