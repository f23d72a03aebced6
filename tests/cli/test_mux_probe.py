"""`flask mux-probe` in a process of its own against a running simulator: what it records, what it hides, what it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.places import ROOT
from muxsim.client import Control
from muxsim.options import Token
from muxsim.server import Simulator
from tests import preloaded
from tests.settings import environment

SECRETS = ("web-secret-of-the-probe", "worker-secret-of-the-probe")
TOKENS = [Token("web-token-id", SECRETS[0]), Token("worker-token-id", SECRETS[1], "low")]
ORIGIN = "https://lessons.example"

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def served() -> Iterator[Simulator]:
    with Simulator(tokens=TOKENS, processing_seconds=0.3, rate_limits=False) as running:
        yield running


@pytest.fixture
def simulator(served: Simulator) -> Control:
    return Control(served.url)


class Probe:
    """The command, and the file that it writes."""

    def __init__(self, simulator: Control, folder: Path) -> None:
        self.out = folder / "answers.json"
        given = environment(
            database_url="postgresql://nobody@127.0.0.1:1/none",
            redis_url="redis://127.0.0.1:1/0",
            PUBLIC_URL=ORIGIN,
            MUX_API_URL=simulator.url,
            MUX_STREAM_URL=simulator.url,
            MUX_TOKEN_ID=TOKENS[0].id,
            MUX_TOKEN_SECRET=SECRETS[0],
            MUX_WORKER_TOKEN_ID=TOKENS[1].id,
            MUX_WORKER_TOKEN_SECRET=SECRETS[1],
        )
        self.environment = {**os.environ, **given}

    def start(self, *words: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(*words),
            env={**self.environment, **settings},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # tests that run in the background hand down that Ctrl-C is ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "app", "mux-probe", "--out", str(self.out), *words]

    def run(self, *words: str, **settings: str) -> tuple[int, str]:
        done = preloaded.run(self._command(*words), env={**self.environment, **settings}, timeout=100)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def answers(self) -> dict[str, Any]:
        found = json.loads(self.out.read_text())
        return {one["question"]: one for one in found["findings"]}


@pytest.fixture
def probe(simulator: Control, tmp_path: Path) -> Probe:
    return Probe(simulator, tmp_path)


def ends(simulator: Control) -> list[str]:
    return [one["status"] for one in simulator.uploads()]


def test_a_simulator_is_refused_unless_it_is_allowed(simulator: Control, probe: Probe) -> None:
    code, said = probe.run()
    assert (code, "--allow-simulator" in said) == (1, True)
    assert not probe.out.exists()
    assert simulator.calls() == []


def test_what_is_unknown_is_recorded_and_nothing_stays(simulator: Control, probe: Probe) -> None:
    simulator.set_switch("expose_range", True)
    code, said = probe.run("--allow-simulator")
    assert code == 0, said
    assert ends(simulator) == ["cancelled"]
    assert "uploads made: 1\nleft behind: 0\n" in said
    found = probe.answers()
    assert found["does GET of a waiting upload give its url?"]["found"] is True
    preflight = found["a browser's preflight"]
    assert preflight["headers"]["access-control-allow-origin"] == ORIGIN
    assert "range" in preflight["headers"]["access-control-expose-headers"].lower()
    assert found["bytes */N before any byte"]["status"] == 308
    first = found["the first part"]
    assert (first["status"], first["headers"]["range"]) == (308, "bytes=0-262143")
    assert first["sent"] == "PUT with Origin, Content-Range: bytes 0-262143/1048576"
    assert found["bytes */N after the first part"]["headers"]["range"] == "bytes=0-262143"
    assert found["a part beyond a gap"]["status"] == 503
    assert "exceeds already uploaded size of 262144 byte" in found["a part beyond a gap"]["body"]
    assert found["bytes */N after the overlap"]["headers"]["range"] == "bytes=0-524287"
    for question in (
        "a part beyond a gap", "bytes */N after the gap", "bytes */N after the overlap",
        "the first part again with other bytes, and the second", "bytes */N to a cancelled upload",
        "the next part to a cancelled upload", "cancel a waiting upload that has bytes", "cancel again",
    ):  # fmt: skip
        assert isinstance(found[question]["status"], int), question
    assert found["cancel again"]["status"] == 403
    whole = json.loads(probe.out.read_text())
    assert (whole["mux"], whole["finished"], whole["left_behind"]) == ("simulator", True, 0)


def test_the_file_holds_nothing_that_opens_or_names_anything(
    served: Simulator, simulator: Control, probe: Probe
) -> None:
    key = simulator.create_signing_key()
    (asset_id,) = simulator.seed_assets(1, policy="public", status="ready")
    playback_id = simulator.asset(asset_id)["playback_ids"][0]["id"]
    signing = {"MUX_SIGNING_KEY_ID": key["id"], "MUX_SIGNING_PRIVATE_KEY": key["private_key"]}
    code, said = probe.run("--allow-simulator", "--with-asset", "--asset", asset_id, **signing)
    assert code == 0, said
    written = probe.out.read_text()
    found = probe.answers()
    assert found["a public playback id without a token"]["status"] == 200
    assert found["a public playback id with a token"]["status"] == 400
    (seen,) = [one["asset_id"] for one in simulator.uploads() if one.get("asset_id")]
    ids = [*(one["id"] for one in simulator.uploads()), seen, asset_id, playback_id, key["id"]]
    # a finished upload does not show its address any more, so its token is taken from the simulator itself
    keys = [row["token"] for row in served.core.store.all("SELECT token FROM uploads")]
    assert len(keys) == len(simulator.uploads()) >= 2
    hidden = (*SECRETS, *(one.id for one in TOKENS), *ids, *keys, "token=", "eyJ", "PRIVATE KEY")
    assert [secret for secret in hidden if secret in written] == []
    assert "[upload url]" in written  # GET of a waiting upload gave it
    assert [one["id"] for one in simulator.assets()] == [asset_id]  # what was named is only looked at


@pytest.mark.parametrize("refused", [True, False])
def test_an_asset_of_its_own_is_deleted_also_when_mux_still_prepares_it(
    simulator: Control, probe: Probe, refused: bool
) -> None:
    simulator.set_switch("delete_while_preparing", not refused)
    simulator.set_switch("processing_seconds", 3)
    code, said = probe.run("--allow-simulator", "--with-asset")
    assert code == 0, said
    assert simulator.assets() == []
    found = probe.answers()["delete an asset as early as can be"]
    if refused:
        assert (found["status"], "preparing" in found["body"]) == (400, True)
    else:
        assert found["status"] == 204
    for question in ("bytes */N to a completed upload", "cancel a completed upload"):
        assert probe.answers()[question]["status"] >= 200, question


def test_errors_of_mux_are_answers(simulator: Control, probe: Probe) -> None:
    simulator.fault("upload", "status", status=500)
    simulator.fault("api", "reset", match={"operation": "get_upload"})
    code, said = probe.run("--allow-simulator")
    assert code == 0, said
    found = probe.answers()
    assert found["the first part"]["status"] == 500
    assert found["GET of a waiting upload"]["no_answer"].startswith("network: ")
    assert ends(simulator) == ["cancelled"]


def test_an_upload_that_cannot_be_made_is_an_answer_too(simulator: Control, probe: Probe) -> None:
    simulator.fault("api", "status", match={"method": "POST"}, status=422)
    code, said = probe.run("--allow-simulator")
    assert code == 0, said
    assert probe.answers()["making an upload"]["found"].startswith("unknown: Mux refused this (422)")
    assert simulator.uploads() == []


def test_a_wrong_token_asks_nothing(simulator: Control, probe: Probe) -> None:
    code, said = probe.run("--allow-simulator", MUX_WORKER_TOKEN_SECRET="wrong")
    assert (code, "MUX_WORKER_TOKEN_ID" in said) == (1, True)
    assert simulator.uploads() == []


def test_the_limit_is_read_only_when_asked_for_and_uploads_still_go(simulator: Control, probe: Probe) -> None:
    simulator.set_switch("rate_limits", True)
    code, said = probe.run("--allow-simulator", "--rate-limit")
    assert code == 0, said
    found = probe.answers()
    assert found["an answer to too many reads"]["status"] == 429
    assert found["an answer to too many reads"]["headers"]["x-ratelimit-remaining"] == "0"
    assert 1 <= found["reads until 429"]["found"] <= 120
    assert ends(simulator) == ["cancelled"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_takes_away_what_it_made(
    simulator: Control, probe: Probe, number: signal.Signals
) -> None:
    simulator.fault("upload", "hang", match={"method": "PUT"}, seconds=60)
    process = probe.start("--allow-simulator")
    simulator.wait_for(lambda: ends(simulator) == ["waiting"] and _struck(simulator), timeout=60)
    process.send_signal(number)
    said, complained = process.communicate(timeout=60)
    assert "Traceback" not in complained, complained
    assert process.returncode == 1
    assert ends(simulator) == ["cancelled"]
    written = json.loads(probe.out.read_text())
    assert (written["finished"], written["left_behind"]) == (False, 0)
    assert "does GET of a waiting upload give its url?" in probe.answers()
    assert "left behind: 0" in said


def _struck(simulator: Control) -> bool:
    return any(one["struck"] for one in simulator.state()["faults"])


def test_what_could_not_be_taken_away_is_told(simulator: Control, probe: Probe) -> None:
    simulator.fault("api", "status", match={"method": "PUT"}, status=401)
    began = time.monotonic()
    code, said = probe.run("--allow-simulator")
    assert time.monotonic() - began < 60
    (upload,) = simulator.uploads()
    assert (code, f"still at Mux: upload {upload['id']}" in said) == (1, True)
    assert upload["id"] not in probe.out.read_text()


def test_a_file_that_cannot_be_written_is_known_before_anything_is_made(
    simulator: Control, probe: Probe
) -> None:
    probe.out = probe.out.parent / "no such folder" / "answers.json"
    code, said = probe.run("--allow-simulator")
    assert (code, "cannot be written" in said) == (1, True)
    assert simulator.uploads() == []
