"""What strangers invent makes no series, not even what a former version has written down."""

import json
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from lessonadmin.metrics import files, labels

REQUESTS, EVENTS = "lessonadmin_http_request_seconds", "lessonadmin_webhook_events"


def write(file: Path, series: list[tuple[str, str, dict[str, str]]]) -> None:
    """A file of the client's in which each of these series counts one."""
    values = MmapedDict(str(file))
    for metric, name, of in series:
        values.write_value(json.dumps([metric, name, of, "Help."], sort_keys=True), 1.0, 0.0)
    values.close()


def of_a_former_version(folder: Path, process: int) -> None:
    """What a process left that took every method and every type of event as it came."""
    requests = []
    for method in ("GET", "BREW", *(f"A{number:07d}" for number in range(40))):
        of = {"route": "none", "method": method, "status": "405"}
        requests += [(REQUESTS, f"{REQUESTS}_bucket", of | {"le": le}) for le in ("1.0", "+Inf")]
        requests.append((REQUESTS, f"{REQUESTS}_sum", of))
    write(folder / f"histogram_{process}.db", requests)
    types = ("video.asset.ready", *(f"video.odd_{letter}" for letter in "abcdefgh"))
    events = [(EVENTS, f"{EVENTS}_total", {"type": one, "outcome": "ignored"}) for one in types]
    write(folder / f"counter_{process}.db", events)


def told(folder: Path, name: str, label: str, *, bounded: bool = True, **of: str) -> dict[str, float]:
    merged = MultiProcessCollector.merge(files.sound(folder))
    return {
        sample.labels[label]: sample.value
        for one in merged
        for sample in (labels.bounded(one) if bounded else one).samples
        if sample.name == name and sample.labels.items() >= of.items()
    }


def test_odd_methods_and_types_that_a_former_version_counted_are_added_up(tmp_path: Path) -> None:
    of_a_former_version(tmp_path, 0)
    of_a_former_version(tmp_path, 4194000)
    assert len(told(tmp_path, f"{REQUESTS}_sum", "method", bounded=False)) == 42, (
        "the control: they are there"
    )
    assert told(tmp_path, f"{REQUESTS}_sum", "method") == {"GET": 2, "OTHER": 82}
    assert told(tmp_path, f"{REQUESTS}_count", "method") == {"GET": 4, "OTHER": 164}
    assert told(tmp_path, f"{REQUESTS}_bucket", "method", le="1.0") == {"GET": 2, "OTHER": 82}
    assert told(tmp_path, f"{REQUESTS}_bucket", "method", le="+Inf") == {"GET": 4, "OTHER": 164}
    assert told(tmp_path, f"{EVENTS}_total", "type") == {"video.asset.ready": 2, "other": 16}


def test_other_metrics_stay_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "counter_slot1.db", [("done", "done_total", {"method": "BREW"})])
    assert told(tmp_path, "done_total", "method") == {"BREW": 1}


def test_what_counts_now_takes_only_what_is_listed() -> None:
    assert [labels.method(one) for one in ("GET", "BREW")] == ["GET", "OTHER"]
    found = [labels.event_type(one) for one in ("video.asset.ready", "video.odd")]
    assert found == ["video.asset.ready", "other"]
