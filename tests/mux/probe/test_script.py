"""The probe's bounds, and the waiting that a command line would be too slow for."""

from typing import Any

import pytest

from lessonadmin.mux.probe import script as probes
from lessonadmin.mux.probe.record import Record
from lessonadmin.mux.probe.script import Probe, ProbeOptions
from muxsim.client import Control


def answers(probe: Probe) -> dict[str, Any]:
    return {one["question"]: one for one in probe.record.findings}


def test_an_expired_upload_is_waited_for(simulator: Control) -> None:
    probe = Probe(ProbeOptions(expired=True), Record(lambda line: None), sleep=simulator.advance_clock)
    probe.run()
    found = answers(probe)
    assert "timed_out" in found["GET of an expired upload"]["body"]
    assert isinstance(found["bytes */N to an expired upload"]["status"], int)
    assert isinstance(found["the first part to an expired upload"]["status"], int)
    assert sorted(one["status"] for one in simulator.uploads()) == ["cancelled", "timed_out"]
    assert probe.made.left == []


def test_it_ends_when_its_requests_are_used_up(simulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MAX_REQUESTS", 5)
    probe = Probe(ProbeOptions(), Record(lambda line: None))
    probe.run()
    assert (probe.stopped, len(answers(probe)) >= 4) == ("5 requests were made", True)
    assert [one["status"] for one in simulator.uploads()] == ["cancelled"]


def test_it_ends_when_its_time_is_up(simulator: Control) -> None:
    probe = Probe(ProbeOptions(seconds=0), Record(lambda line: None))
    probe.run()
    assert probe.stopped == "0 seconds were over"
    assert simulator.uploads() == []
