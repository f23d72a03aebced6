"""The upload endpoint, byte by byte, without a browser."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import Reply, Sdk, call

CHUNK = 256 * 1024
FILE = SAMPLE_VIDEO + b"\x00\x00\x00\x08free" * 80_000  # a valid MP4 of three chunks, the last one short


def put(url: str, data: bytes, first: int | None = None, total: int | None = None, **headers: str) -> Reply:
    if first is not None:
        headers["Content-Range"] = f"bytes {first}-{first + len(data) - 1}/{total}"
    return call("PUT", url, data, token=None, headers={"Content-Type": "video/mp4", **headers})


def ask(url: str, total: int) -> Reply:
    return call("PUT", url, b"", token=None, headers={"Content-Range": f"bytes */{total}"})


def source_of(sim: Simulator, control: Control, upload_id: str) -> bytes:
    return (sim.core.directory / "media" / control.upload(upload_id)["asset_id"] / "source").read_bytes()


def test_a_single_put(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    assert put(upload.url, FILE).status == 200
    assert control.flush_events()
    assert source_of(sim, control, upload.id) == FILE
    assert control.assets()[0]["status"] == "ready"
    assert put(upload.url, FILE).status == 200, "a repeated last request is answered like the first"
    assert len(control.assets()) == 1


def test_chunks_with_their_acknowledgements(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload, total = sdk.upload(), len(FILE)
    assert ask(upload.url, total).headers.get("Range") is None
    first = put(upload.url, FILE[:CHUNK], 0, total)
    assert (first.status, first.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    asked = ask(upload.url, total)
    assert (asked.status, asked.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    shown = control.upload(upload.id)
    assert (shown["status"], shown["received"], shown["total"]) == ("waiting", CHUNK, total)
    assert put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, total).status == 308
    assert put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total).status == 200
    assert ask(upload.url, total).status == 200
    assert source_of(sim, control, upload.id) == FILE


def test_a_gap_is_not_filled_and_a_repeat_does_no_harm(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload, total = sdk.upload(), len(FILE)
    put(upload.url, FILE[:CHUNK], 0, total)
    gap = put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total)
    assert (gap.status, gap.headers["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert gap.raw.decode().endswith(
        f"the upload offset is {2 * CHUNK} byte(s), which exceeds already uploaded size of {CHUNK} byte(s)."
    )
    control.set_switch("gap", "308")
    gap = put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total)
    assert (gap.status, gap.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    again = put(upload.url, FILE[:CHUNK], 0, total)
    assert (again.status, again.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, total)
    assert put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total).status == 200
    assert source_of(sim, control, upload.id) == FILE


@pytest.mark.parametrize("overlap", ["ignored", "overwrites"])
def test_bytes_that_come_again_are_ignored_or_overwrite(
    sim: Simulator, sdk: Sdk, control: Control, overlap: str
) -> None:
    """Another file of the same size is silently mixed with the first: Google's storage looks at no content."""
    control.set_switch("overlap", overlap)
    upload, total = sdk.upload(), len(FILE)
    other = bytes(byte ^ 1 for byte in FILE)
    put(upload.url, FILE[:CHUNK], 0, total)
    answer = put(upload.url, other[: 2 * CHUNK], 0, total)
    assert (answer.status, answer.headers["Range"]) == (308, f"bytes=0-{2 * CHUNK - 1}")
    assert put(upload.url, other[CHUNK:], CHUNK, total).status == 200
    kept = FILE[:CHUNK] if overlap == "ignored" else other[:CHUNK]
    assert source_of(sim, control, upload.id) == kept + other[CHUNK:]


def test_a_part_that_overlaps_by_a_few_bytes(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload, total = sdk.upload(), len(FILE)
    place = urlsplit(upload.url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 0)
    line.putrequest("PUT", f"{place.path}?{place.query}")
    line.putheader("Content-Range", f"bytes 0-{CHUNK - 1}/{total}")
    line.putheader("Content-Length", str(CHUNK))
    line.endheaders(FILE[:1000])
    line.close()
    assert control.wait_for(lambda: control.upload(upload.id)["received"] == 1000)
    other = bytes(byte ^ 1 for byte in FILE)
    assert put(upload.url, other[:CHUNK], 0, total).status == 308
    assert put(upload.url, other[CHUNK:], CHUNK, total).status == 200
    assert source_of(sim, control, upload.id) == FILE[:1000] + other[1000:]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_an_ended_url_answers_is_a_switch(sdk: Sdk, control: Control, status: int) -> None:
    control.set_switch("ended_upload_status", status)
    upload = sdk.upload()
    control.time_out_upload(upload.id)
    assert put(upload.url, FILE[:CHUNK], 0, len(FILE)).status == status
    assert ask(upload.url, len(FILE)).status == status


def test_a_broken_connection_keeps_what_came(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload, total = sdk.upload(), len(FILE)
    place = urlsplit(upload.url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 0)
    line.putrequest("PUT", f"{place.path}?{place.query}")
    line.putheader("Content-Range", f"bytes 0-{CHUNK - 1}/{total}")
    line.putheader("Content-Length", str(CHUNK))
    line.endheaders(FILE[:1000])
    line.close()
    assert control.wait_for(lambda: control.upload(upload.id)["received"] == 1000)
    assert put(upload.url, FILE[:CHUNK], 0, total).status == 308
    put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, total)
    assert put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total).status == 200
    assert source_of(sim, control, upload.id) == FILE


@pytest.mark.parametrize(
    "header",
    [
        "bytes 5-2/10",
        "bytes 0-99/50",
        "bytes 0-9/1000000",
        "items 0-9/10",
        "bytes a-b/c",
        "bytes 0-262144/999999",
        "bytes */*x",
    ],
)
def test_nonsense_ranges(sdk: Sdk, header: str) -> None:
    answer = call("PUT", sdk.upload().url, b"0123456789", token=None, headers={"Content-Range": header})
    assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_parameters")


def test_who_may_not_upload(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    assert put(upload.url + "x", FILE).status == 403
    assert put(upload.url.split("?")[0], FILE).status == 403
    assert put(f"{sim.url}/upload/{'A' * 44}?token=x", FILE).status == 404
    sdk.uploads.cancel_direct_upload(upload.id)
    assert put(upload.url, FILE).status == 410
    late = sdk.upload()
    control.advance_clock(3601)
    assert control.flush_events()
    assert put(late.url, FILE).status == 410
    assert sdk.uploads.get_direct_upload(late.id).data.status == "timed_out"
    assert control.assets() == []


def test_the_time_runs_until_the_last_byte(sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    put(upload.url, FILE[:CHUNK], 0, len(FILE))
    control.advance_clock(3601)
    assert control.flush_events()
    assert put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, len(FILE)).status == 410


def test_cors_is_the_uploads_own_origin(sdk: Sdk, control: Control) -> None:
    made = sdk.uploads.create_direct_upload({"cors_origin": "https://ours.example"}).data
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-range,content-type",
    }
    allowed = call("OPTIONS", made.url, token=None, headers={"Origin": "https://ours.example", **asked})
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://ours.example"
    assert {"content-range", "content-type"} <= set(
        allowed.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    foreign = call("OPTIONS", made.url, token=None, headers={"Origin": "https://evil.example", **asked})
    assert "Access-Control-Allow-Origin" not in foreign.headers
    answer = put(made.url, FILE[:CHUNK], 0, len(FILE), Origin="https://ours.example")
    assert "Access-Control-Expose-Headers" not in answer.headers, "a browser cannot read Range"
    control.set_switch("expose_range", True)
    answer = put(made.url, FILE[:CHUNK], 0, len(FILE), Origin="https://ours.example")
    assert answer.headers["Access-Control-Expose-Headers"] == "Range"


def test_the_api_itself_has_no_cors(sim: Simulator) -> None:
    answer = call("GET", sim.url + "/video/v1/assets", headers={"Origin": "https://ours.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_upload_that_finishes_after_a_cancel_makes_no_asset(
    sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    upload = sdk.upload()
    put(upload.url, FILE[:CHUNK], 0, len(FILE))
    control.cancel_upload_elsewhere(upload.id)
    assert put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, len(FILE)).status == 410
    assert control.flush_events()
    assert receiver.types == ["video.upload.created", "video.upload.cancelled"]


def test_size_limit_switch(sdk: Sdk, control: Control) -> None:
    control.set_switch("max_upload_mb", 0.5)
    assert put(sdk.upload().url, FILE).status == 413
    assert put(sdk.upload().url, SAMPLE_VIDEO).status == 200


@pytest.mark.parametrize("status", [502, 503, 500, 403, 410, 429])
def test_fault_status(sdk: Sdk, control: Control, status: int) -> None:
    upload = sdk.upload()
    control.fault("upload", "status", status=status, times=1)
    assert put(upload.url, FILE).status == status
    assert control.upload(upload.id)["status"] == "waiting"
    assert put(upload.url, FILE).status == 200


def test_fault_lost_chunk_is_seen_in_the_range(sim: Simulator, sdk: Sdk, control: Control) -> None:
    upload, total = sdk.upload(), len(FILE)
    control.fault("upload", "lost_chunk", times=1, match={"chunk": 1})
    assert put(upload.url, FILE[:CHUNK], 0, total).headers["Range"] == f"bytes=0-{CHUNK - 1}"
    assert put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, total).headers["Range"] == f"bytes=0-{CHUNK - 1}"
    assert (
        put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, total).headers["Range"] == f"bytes=0-{2 * CHUNK - 1}"
    )
    assert put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, total).status == 200
    assert source_of(sim, control, upload.id) == FILE


def test_fault_no_range_and_308_at_the_end(sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    control.fault("upload", "no_range", times=1)
    answer = put(upload.url, FILE[:CHUNK], 0, len(FILE))
    assert (answer.status, "Range" in answer.headers) == (308, False)
    control.fault("upload", "final_308", times=1)
    put(upload.url, FILE[CHUNK : 2 * CHUNK], CHUNK, len(FILE))
    control.fault("upload", "final_308", times=1)
    assert put(upload.url, FILE[2 * CHUNK :], 2 * CHUNK, len(FILE)).status == 308
    assert control.upload(upload.id)["status"] == "waiting"


def test_a_large_file_does_not_go_through_memory(tmp_path: Path) -> None:
    """300 MB here; ``bench/uploads.py --big-mb 2048`` shows the same for two gigabytes."""
    command = [
        sys.executable,
        "-m",
        "muxsim",
        "--port",
        "0",
        "--state",
        str(tmp_path),
        "--fast",
        "--token",
        "a:b",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        sdk, control = Sdk(url, ("a", "b")), Control(url)
        upload, watched = sdk.upload(), psutil.Process(process.pid)
        before, peak = watched.memory_info().rss, 0
        place = urlsplit(upload.url)
        line = http.client.HTTPConnection(place.hostname or "", place.port or 0)
        line.putrequest("PUT", f"{place.path}?{place.query}")
        line.putheader("Content-Length", str(300 << 20))
        line.endheaders()
        piece = os.urandom(1 << 20)
        for number in range(300):
            line.send(piece)
            if number % 20 == 0:
                peak = max(peak, watched.memory_info().rss)
        assert line.getresponse().status == 200
        line.close()
        asset_id = control.upload(upload.id)["asset_id"]
        assert (tmp_path / "media" / asset_id / "source").stat().st_size == 300 << 20
        assert max(peak, watched.memory_info().rss) < 200 << 20
        assert max(peak, watched.memory_info().rss) - before < 50 << 20
        sdk.close()
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_many_clients_at_once(make_sim: Callable[..., Simulator], tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sim = make_sim(state_dir=tmp_path / "busy")
    sdk, control = Sdk(sim.url), Control(sim.url)
    uploads = [sdk.upload() for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda one: put(one.url, SAMPLE_VIDEO).status, uploads)) == {200}
    assert control.flush_events()
    assets = control.assets()
    assert {one["upload_id"] for one in assets} == {one.id for one in uploads}
    assert {one["status"] for one in assets} == {"ready"}
    sdk.close()


def test_two_last_chunks_at_once_make_one_asset(sdk: Sdk, control: Control) -> None:
    from concurrent.futures import ThreadPoolExecutor

    upload = sdk.upload()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: put(upload.url, FILE).status, range(6)))
    assert set(answers) == {200}
    time.sleep(0.05)
    assert len(control.assets()) == 1
