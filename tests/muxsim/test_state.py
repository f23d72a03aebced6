"""State: it survives the end of the process, can be reset, and repeats itself from its seed."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import Sdk, call

SLOW = {"processing_seconds": 100.0}


@contextmanager
def process(state: Path, *options: str, end: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "muxsim",
        "--port",
        "0",
        "--state",
        str(state),
        "--token",
        "a:b",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line.startswith("muxsim listening on http://127.0.0.1:"), line
        try:
            yield line.split()[-1]
        finally:
            began = time.monotonic()
            running.send_signal(end)
            code = running.wait(timeout=5)
            assert code == (0 if end != signal.SIGKILL else -signal.SIGKILL)
            assert time.monotonic() - began < 4


def test_a_killed_simulator_comes_back_whole(tmp_path: Path, receiver: Receiver) -> None:
    options = (
        "--webhook",
        receiver.url,
        "--webhook-secret",
        "s1",
        "--no-ffmpeg",
        "--processing-seconds",
        "100",
    )
    with process(tmp_path, *options, end=signal.SIGKILL) as url:
        sdk, control = Sdk(url, ("a", "b")), Control(url)
        waiting, moving = sdk.upload("signed"), sdk.upload()
        half = SAMPLE_VIDEO + bytes(300_000)
        part = {"Content-Range": f"bytes 0-262143/{len(half)}"}
        assert call("PUT", waiting.url, half[:262144], token=None, headers=part).status == 308
        control.upload_file(moving.id)
        control.fault("api", "status", match={"operation": "delete_asset"}, status=500)
        key = control.create_signing_key()["id"]
        ahead = control.advance_clock(40)
        sdk.close()
    with process(tmp_path, *options) as url:
        sdk, control = Sdk(url, ("a", "b")), Control(url)
        assert control.upload(waiting.id)["received"] == 262144
        asset = control.assets()[0]
        assert (asset["status"], 35 <= asset["progress"]["progress"] <= 60) == ("preparing", True)
        assert control.state()["clock"]["now"] >= ahead
        assert len(control.state()["faults"]) == 1
        assert sdk.keys.get_signing_key(key).data.id == key
        known = {waiting.id, moving.id}
        assert sdk.upload().id not in known
        control.advance_clock(100)
        assert control.flush_events()
        assert control.assets()[0]["status"] == "ready"
        receiver.wait(1)
        assert "video.asset.ready" in receiver.types
        sdk.close()


def test_undelivered_events_outlive_the_process(
    make_sim: Callable[..., Simulator], tmp_path: Path, receiver: Receiver
) -> None:
    receiver.usual = 500
    first = make_sim(state_dir=tmp_path / "kept", retry_seconds=30)
    sdk = Sdk(first.url)
    sdk.upload()
    assert Control(first.url).flush_events()
    sdk.close()
    first.stop()
    receiver.usual, receiver.got = 204, []
    second = make_sim(state_dir=tmp_path / "kept", retry_seconds=30)
    Control(second.url).advance_clock(31)
    receiver.wait(1)
    assert len(receiver.got[0].body["attempts"]) == 1
    assert len(Control(second.url).endpoints()) == 1


def test_packaging_goes_on_after_a_restart(make_sim: Callable[..., Simulator], tmp_path: Path) -> None:
    first = make_sim(state_dir=tmp_path / "kept", ffmpeg=True, processing_seconds=30)
    sdk, control = Sdk(first.url), Control(first.url)
    control.upload_file(sdk.upload().id)
    asset_id = control.assets()[0]["id"]
    sdk.close()
    first.stop()  # in the middle of it, or not: both must do
    control = Control(make_sim(state_dir=tmp_path / "kept", ffmpeg=True, processing_seconds=30).url)
    control.advance_clock(31)
    control.wait_for(lambda: control.asset(asset_id)["status"] == "ready", timeout=30)
    assert control.asset(asset_id)["packaged"]


def test_an_interrupted_packaging_is_no_verdict(make_sim: Callable[..., Simulator], tmp_path: Path) -> None:
    """ffmpeg is ended with the simulator; its death must not be taken for a broken file."""
    first = make_sim(state_dir=tmp_path / "kept", ffmpeg=True, processing_seconds=30)
    assert first.core.packager is not None
    first.core.packager.stop()
    sdk, control = Sdk(first.url), Control(first.url)
    control.upload_file(sdk.upload().id)
    asset_id = control.assets()[0]["id"]
    assert control.flush_events()
    sdk.close()
    first.stop()
    control = Control(make_sim(state_dir=tmp_path / "kept", ffmpeg=True, processing_seconds=30).url)
    control.advance_clock(31)
    control.wait_for(lambda: control.asset(asset_id)["status"] == "ready", timeout=30)
    assert control.asset(asset_id)["packaged"]


def test_reset_forgets_everything_but_never_repeats_an_id(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    upload = sdk.upload()
    control.upload_file(upload.id)
    control.fault("api", "rate_limited")
    control.set_switch("free_plan", True)
    control.advance_clock(5000)
    assert control.flush_events()
    control.reset()
    state = control.state()
    assert (state["uploads"], state["assets"], state["events"], state["calls"], state["faults"]) == (
        [],
        [],
        [],
        [],
        [],
    )
    assert state["switches"]["free_plan"] is False
    assert abs(state["clock"]["ahead"]) < 5
    assert list((sim.core.directory / "media").iterdir()) == []
    seen = {one.body["id"] for one in receiver.got}
    assert sdk.upload().id != upload.id
    assert control.flush_events()
    assert receiver.got[-1].body["id"] not in seen


def test_the_same_seed_gives_the_same_ids(make_sim: Callable[..., Simulator], tmp_path: Path) -> None:
    def ids(name: str, seed: int) -> list[str]:
        sim = make_sim(state_dir=tmp_path / name, seed=seed)
        sdk, control = Sdk(sim.url), Control(sim.url)
        upload = sdk.upload()
        asset = control.complete_upload(upload.id)
        control.flush_events()
        sdk.close()
        return [
            upload.id,
            asset["id"],
            asset["playback_ids"][0]["id"],
            *(one["id"] for one in control.events()),
        ]

    first = ids("a", 5)
    assert ids("b", 5) == first
    assert not set(ids("c", 6)) & set(first)
    assert all(one.isalnum() and len(one) == 44 for one in first[:3])


def test_time_jumps_forward_and_runs_faster(make_sim: Callable[..., Simulator], tmp_path: Path) -> None:
    control = Control(make_sim(state_dir=tmp_path / "fast", speed=100).url)
    before = control.state()["clock"]["now"]
    time.sleep(0.2)
    assert 15 < control.state()["clock"]["now"] - before < 200
    jumped = control.advance_clock(3600)
    assert jumped - before > 3600


@pytest.mark.parametrize(
    "options",
    [
        ["--token", "nonsense"],
        ["--webhook", "ftp://x"],
        ["--processing-seconds", "-1"],
        ["--token", "a:b:urgent"],
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "muxsim", "--port", "0", "--state", str(tmp_path / "x"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "python -m muxsim: error:" in done.stderr


def test_several_webhooks_on_the_command_line(tmp_path: Path, receiver: Receiver) -> None:
    options = (
        "--fast",
        "--webhook",
        receiver.url + "?a",
        "--webhook",
        receiver.url + "?b#own",
        "--webhook-secret",
        "first",
    )
    with process(tmp_path, *options) as url:
        sdk = Sdk(url, ("a", "b"))
        sdk.upload()
        receiver.wait(2)
        assert sorted((one.signed_with("first"), one.signed_with("own")) for one in receiver.got) == [
            (False, True),
            (True, False),
        ]
        sdk.close()


def test_stopping_does_not_wait_for_a_hanging_receiver(
    make_sim: Callable[..., Simulator], receiver: Receiver
) -> None:
    receiver.answers = [30.0]
    sim = make_sim()
    sdk = Sdk(sim.url)
    sdk.upload()
    receiver.wait(1)
    sdk.close()
    began = time.monotonic()
    sim.stop()
    assert time.monotonic() - began < 3


def test_another_start_brings_its_own_endpoints(
    make_sim: Callable[..., Simulator], tmp_path: Path, receiver: Receiver
) -> None:
    first = make_sim(state_dir=tmp_path / "kept", webhooks=[("http://127.0.0.1:9/old", "a")])
    Control(first.url).add_endpoint("http://127.0.0.1:9/added", "b")
    first.stop()
    second = make_sim(state_dir=tmp_path / "kept", webhooks=[(receiver.url, "c")])
    assert [one["url"] for one in Control(second.url).endpoints()] == [
        "http://127.0.0.1:9/added",
        receiver.url,
    ]


def test_a_state_of_an_older_simulator_is_taken_over(tmp_path: Path, receiver: Receiver) -> None:
    """Endpoints could not be switched off then: the column is added to what is there."""
    with Simulator(state_dir=tmp_path, webhooks=[(receiver.url, "s")]):
        pass
    with closing(sqlite3.connect(tmp_path / "muxsim.sqlite3")) as old:
        old.execute("ALTER TABLE endpoints DROP COLUMN enabled")
        old.commit()
    with Simulator(state_dir=tmp_path, rate_limits=False) as sim:
        control = Control(sim.url)
        control.add_endpoint(receiver.url, "s")
        assert [(one["url"], one["enabled"]) for one in control.endpoints()] == [(receiver.url, 1)]
        control.foreign_event()
        assert control.flush_events()
    assert [one.signed_with("s") for one in receiver.got] == [True]
