"""What is kept in instance/ between starts."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from devstack.kept_files import Secrets, write_environment
from devstack.processes import procfile
from devstack.servers import ports


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    first = Secrets(file).get("secret_key")
    assert len(first) == 64
    assert Secrets(file).get("secret_key") == first
    assert Secrets(file).get("another") != first
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", ["", "{", "[1]", "\x00" * 40], ids=["empty", "half", "a list", "zeros"])
def test_damaged_secrets_are_put_aside(tmp_path: Path, damaged: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(damaged)
    assert Secrets(file).get("secret_key")
    assert (tmp_path / "secrets.json.damaged").read_text() == damaged


def test_the_environment_file_survives_any_text(tmp_path: Path) -> None:
    settings = {"ONE": "with 'quotes' and $dollars", "TWO": "two\nlines; exit 1"}
    write_environment(tmp_path / "env", settings)
    shown = subprocess.run(
        ["/bin/sh", "-c", '. "$0"/env; printf "%s|%s" "$ONE" "$TWO"', str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"{settings['ONE']}|{settings['TWO']}"
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = ports.remembered(file)
    assert ports.remembered(file) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert ports.remembered(file) != port
        assert ports.holder(port) == f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"


def test_the_procfile_names_what_a_deployment_runs() -> None:
    commands = procfile.read(Path(__file__).parents[2] / "Procfile")
    assert list(commands) == ["release", "web", "worker", "clock"]
