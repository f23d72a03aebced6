"""The entry point with settings that are missing or malformed: one line that names them all, for every program that starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.processes import procfile
from tests.settings import environment

ROOT = Path(__file__).parents[1]
COMMANDS = procfile.read(ROOT / "Procfile")


def start(command: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return subprocess.run(
        procfile.shell(command),
        cwd=ROOT,
        env={"PATH": path, "PORT": "1", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_missing_settings_are_named_in_one_line(name: str) -> None:
    done = start(COMMANDS[name], {"SECRET_KEY": "x", "PUBLIC_URL": ""})
    lines = done.stderr.strip().splitlines()
    assert done.returncode != 0
    assert lines == [
        (
            "Lessonadmin cannot start: missing settings: DATABASE_URL, REDIS_URL, PUBLIC_URL, "
            "MUX_TOKEN_ID, MUX_TOKEN_SECRET, MUX_WEBHOOK_SECRETS."
        )
    ]


def test_malformed_settings_are_named_in_one_line() -> None:
    settings = environment(database_url="mysql://x", redis_url="redis://127.0.0.1:1/0", UPLOAD_MAX_MB="lots")
    done = start(COMMANDS["web"], settings)
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1
    assert "DATABASE_URL must look like" in done.stderr
    assert "UPLOAD_MAX_MB must be a whole number" in done.stderr
    assert "mysql" not in done.stderr
