"""First-run set-up, in a small clone of its own: a .venv without packages, so that it needs no network."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from devstack import options, setup, stack
from devstack.errors import SetupError, told
from devstack.install import python_packages, steps

ROOT = Path(__file__).parents[2]
REQUIREMENTS = (*python_packages.FOR_ALL, "package.json", "package-lock.json")
# a node that is found, so that the clone needs none of its own; npm is not asked for anything
NPM = '#!/bin/sh\necho "$@" >> npm-was-asked\n'
NODE = '#!/bin/sh\n[ "$1" = --version ] && { echo v24.0.0; exit 0; }\nmkdir -p lessonadmin/static/vendor\n'


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set up once; what a test breaks the next start must mend."""
    folder = tmp_path_factory.mktemp("clones") / "a clone with spaces"
    for name in ("bin", "devstack"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in REQUIREMENTS:
        (folder / name).write_text("")
    for name in ("node_modules", "bench", "lessonadmin/static", "programs"):
        (folder / name).mkdir(parents=True)
    for name, text in (("npm", NPM), ("node", NODE)):
        (folder / "programs" / name).write_text(text)
        (folder / "programs" / name).chmod(0o755)
    return folder


def call(
    clone: Path, script: str = "bench", *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Call one of the scripts; bin/bench without benchmarks ends as soon as the set-up is done."""
    path = f"{clone / 'programs'}{os.pathsep}{Path(sys.executable).resolve().parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    wanted = ("HOME", "TMPDIR", "LANG")
    environment = {name: os.environ[name] for name in wanted if name in os.environ} | {
        "PATH": path,
        **settings,
    }
    return subprocess.run(
        [clone / "bin" / script, *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


READY = "There is no benchmark in bench/ yet."
A_HASH = f"--hash=sha256:{'0' * 64}"


@pytest.fixture
def ready(clone: Path) -> Path:
    """A clone that is set up."""
    if not (clone / ".venv" / ".complete").exists():
        done = call(clone)
        assert READY in done.stderr, done.stdout + done.stderr
    return clone


def test_a_complete_clone_costs_no_step(ready: Path) -> None:
    began = time.monotonic()
    done = call(ready)
    assert done.stdout == ""
    assert READY in done.stderr
    assert time.monotonic() - began < 3


def test_an_interrupted_set_up_is_begun_anew(ready: Path) -> None:
    (ready / ".venv" / ".complete").unlink()
    (ready / ".venv" / ".unfinished").touch()
    (ready / ".venv" / "half-made").touch()
    (ready / ".venv" / "bin" / "python").unlink()
    assert READY in call(ready).stderr
    assert not (ready / ".venv" / "half-made").exists()
    assert not (ready / ".venv" / ".unfinished").exists()


def test_changed_requirements_are_installed(ready: Path) -> None:
    (ready / "requirements-dev.txt").write_text("# another line\n")
    assert "Installing the Python packages" in call(ready).stdout
    assert call(ready).stdout == ""


def test_no_network_is_one_sentence(ready: Path) -> None:
    (ready / "requirements-dev.txt").write_text(f"a-package-that-is-not-there==1.0 {A_HASH}\n")
    try:
        done = call(
            ready,
            PIP_INDEX_URL="http://127.0.0.1:1/simple",
            PIP_EXTRA_INDEX_URL="",
            PIP_CONFIG_FILE="/dev/null",
        )
    finally:
        (ready / "requirements-dev.txt").write_text("")
    assert done.returncode == 1
    assert "the package index cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert READY in call(ready).stderr


def plant_a_wheel(folder: Path) -> str:
    """A package of one file, as an index would hand it out; its hash."""
    wheel = folder / "planted-1.0-py3-none-any.whl"
    about = "planted-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("planted.py", "")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_package_with_another_hash_is_not_installed(ready: Path, tmp_path: Path) -> None:
    right = plant_a_wheel(tmp_path)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    installed = ready / ".venv" / "lib" / f"python{python_packages.VERSION}" / "site-packages" / "planted.py"
    wanted = ready / "requirements-dev.txt"
    try:
        wanted.write_text(f"planted==1.0 {A_HASH}\n")
        done = call(ready, **offline)
        assert done.returncode == 1
        assert "is not the file that the requirements name" in done.stderr, done.stdout + done.stderr
        assert not installed.exists()
        wanted.write_text(f"planted==1.0 \\\n    --hash=sha256:{right}\n")
        assert READY in call(ready, **offline).stderr
        assert installed.exists(), "the very same file with its own hash"
    finally:
        wanted.write_text("")
    assert READY in call(ready).stderr


def test_two_starts_at_once_wait_for_each_other(ready: Path) -> None:
    with (ready / "instance" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, "-m", "devstack.setup", "bench"],
            cwd=ready,
            env={**os.environ, "PATH": f"{ready / 'programs'}:/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert second.stdout is not None
        assert second.stdout.readline() == "Another start is setting things up; waiting for it.\n"
        assert second.poll() is None
        fcntl.flock(lock, fcntl.LOCK_UN)
    assert READY in second.communicate(timeout=30)[0]


def set_up_for_running(clone: Path) -> subprocess.CompletedProcess[str]:
    """The set-up of bin/run, without the start that would follow."""
    return subprocess.run(
        [sys.executable, "-c", "from devstack import setup; setup.set_up(tools=False)"],
        cwd=clone,
        env={**os.environ, "PATH": f"{clone / 'programs'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_running_needs_no_tools_and_they_are_added_when_they_are_wanted(ready: Path) -> None:
    tools, asked = ready / "requirements-dev.txt", ready / "npm-was-asked"
    (ready / "requirements-run.txt").write_text("# another line\n")
    tools.write_text(f"a-package-that-is-not-there==1.0 {A_HASH}\n")
    (ready / "node_modules" / ".complete").unlink()
    done = set_up_for_running(ready)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing the Python packages (once" in done.stdout
    assert "--omit=dev" in asked.read_text().splitlines()[-1]
    assert set_up_for_running(ready).stdout == ""

    tools.write_text("")
    assert "and the tools of tests and checks" in call(ready).stdout
    assert "--omit=dev" not in asked.read_text().splitlines()[-1]
    assert set_up_for_running(ready).stdout == "", "what is there with its tools is enough"
    assert call(ready).stdout == ""


def test_every_script_leads_to_a_program() -> None:
    """A script hands its own name to the set-up, which starts a module."""
    for name, module in setup.COMMANDS.items():
        assert (ROOT / "bin" / name).is_file(), name
        program = module if module.startswith("devstack.commands.") else f"{module}.__main__"
        assert importlib.util.find_spec(program) is not None, name


def test_help_helps_and_an_unknown_word_is_refused(clone: Path) -> None:
    helped = call(clone, "run", "--help", PORT="abc")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("usage: bin/run")
    assert "--verbose" in helped.stdout
    for word in ("--hlp", "--verb", "now"):
        refused = call(clone, "run", word)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"unrecognized arguments: {word}" in refused.stderr


def test_a_folder_that_is_served_already_says_so_whatever_the_port(clone: Path) -> None:
    run = clone / "instance" / "run"
    run.mkdir(parents=True, exist_ok=True)
    (run / "address").write_text("http://127.0.0.1:8123\n")
    try:
        with (run / "lock").open("w") as lock, socket.socket() as taken:
            fcntl.flock(lock, fcntl.LOCK_EX)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            for port in (str(taken.getsockname()[1]), ""):
                done = call(clone, "run", PORT=port)
                assert done.returncode == 1
                assert "Lessonadmin already runs from this folder at http://127.0.0.1:8123." in done.stderr
            assert call(clone, "run", "--help").returncode == 0
    finally:
        (run / "address").unlink()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PORT": "abc"}, "PORT must be a whole number from 1 to 65535, not 'abc'."),
        ({"PORT": "0"}, "PORT must be a whole number from 1 to 65535, not '0'."),
        ({"PORT": "99999999999"}, "PORT must be a whole number from 1 to 65535, not '99999999999'."),
        ({"PORT": "٣"}, "PORT must be a whole number from 1 to 65535, not '٣'."),
        ({"MUX_API_URL": "https://api.mux.com"}, "MUX_API_URL is set but MUX_TOKEN_ID is not"),
        ({"MUX_TOKEN_ID": "abc"}, "MUX_TOKEN_ID is set but MUX_API_URL is not"),
    ],
)
def test_a_slip_is_told_before_anything_is_installed(
    clone: Path, settings: dict[str, str], sentence: str
) -> None:
    done = call(clone, "run", **settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_told(clone: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = call(clone, "run", PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_python_at_all(clone: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [clone / "bin" / "run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Lessonadmin needs Python 3.11 or newer, and none is on the PATH")
    assert len(done.stderr.splitlines()) == 1


def test_a_python_that_is_too_old(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo 3.9;; esac\n')
    old.chmod(0o755)
    done = subprocess.run(
        [clone / "bin" / "run"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "python3 is Python 3.9;" in done.stderr


def test_a_full_disk_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def fill() -> int:
        return Path("/dev/full").write_text("x")

    assert told(fill) == 1
    assert capsys.readouterr().err.strip().startswith("The disk is full")


def test_a_folder_that_cannot_be_written_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> int:
        return Path("/sys/lessonadmin").write_text("x")

    assert told(write) == 1
    assert "cannot be written (/sys/lessonadmin)" in capsys.readouterr().err


def test_a_fault_of_our_own_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        told(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("output", "clause"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code EAI_AGAIN", "the package index cannot be reached"),
        ("npm error code EACCES", "a folder cannot be written"),
        ("npm error code EINTEGRITY", "a package is not the file that the requirements name"),
        (
            "ERROR: Hashes are required in --require-hashes mode, but they are missing from some requirements.",
            "a requirement has no hash",
        ),
        (
            "x\nERROR: No matching distribution found for y==1\nz",
            "ERROR: No matching distribution found for y==1",
        ),
        ("", "it said nothing"),
    ],
)
def test_what_a_tools_output_means(output: str, clause: str) -> None:
    assert steps.meaning(output).startswith(clause)


def test_a_step_that_fails_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOG", tmp_path / "log")
    with pytest.raises(SetupError, match=r"Trying failed: the disk is full.*/log\."):
        steps.run("Trying", ["/bin/sh", "-c", "echo ENOSPC; exit 1"])


def test_a_step_that_is_killed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOG", tmp_path / "log")
    with pytest.raises(SetupError, match=r"it was ended from outside \(SIGKILL\)"):
        steps.run("Trying", ["/bin/sh", "-c", "echo something else; kill -9 $$"])


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"own_database": "postgresql+psycopg2://x:hidden@127.0.0.1:1/none"}, "Connection refused"),
        ({"own_database": "postgresql://x:hidden@[none/none"}, "the address"),
        ({"own_redis": "redis://:hidden@127.0.0.1:1/0"}, "Connection refused"),
    ],
)
def test_a_server_of_ones_own_that_is_away_is_told_without_its_password(
    setting: dict[str, str], reason: str
) -> None:
    nothing: dict[str, str | None] = {"own_database": None, "own_redis": None}
    with pytest.raises(
        SetupError, match=f"^The (database|Redis) that .* cannot be reached: .*{reason}"
    ) as told_so:
        stack.check_own_servers(options.Options(port=1, own_mux=False, **{**nothing, **setting}))
    assert "hidden" not in str(told_so.value)
    assert len(str(told_so.value).splitlines()) == 1
