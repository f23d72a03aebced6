"""The probe's own calls, whose answers come as they are, and what it made, which is taken away."""

from collections.abc import Callable

import pytest

from lessonadmin.mux.errors import Refused
from lessonadmin.mux.probe import requests
from lessonadmin.mux.probe.requests import Leftovers
from lessonadmin.outbound import Answer
from muxsim.client import Control
from tests.mux.fake_server import FakeServer, answer, error

BODY = {"cors_origin": "https://lessons.example", "new_asset_settings": {"playback_policies": ["public"]}}


@pytest.fixture
def slept() -> list[float]:
    return []


def waiting_upload(made: Leftovers) -> str:
    upload = requests.create(BODY)
    made.uploads[upload.id] = False
    return upload.id


def test_what_was_made_is_left_until_it_is_known_to_be_gone() -> None:
    made = Leftovers({"u1": False, "u2": True}, {"b", "a"})
    assert made.left == ["upload u1", "asset a", "asset b"]


def test_everything_that_was_made_is_taken_away_and_nothing_else(
    simulator: Control, slept: list[float]
) -> None:
    made = Leftovers()
    [own, foreign] = simulator.seed_assets(2, status="ready")
    made.assets.add(own)
    upload_id, other = waiting_upload(made), requests.create(BODY).id
    made.take_away(slept.append)
    assert (made.left, slept) == ([], [])
    assert [one["id"] for one in simulator.assets()] == [foreign]
    assert simulator.upload(upload_id)["status"] == "cancelled"
    assert simulator.upload(other)["status"] == "waiting"


def test_what_has_ended_is_not_asked_about_again(simulator: Control, slept: list[float]) -> None:
    Leftovers({"u1": True}).take_away(slept.append)
    assert simulator.calls() == []


def test_an_upload_that_became_an_asset_takes_that_asset_along(
    simulator: Control, slept: list[float]
) -> None:
    simulator.hold_processing()
    made = Leftovers()
    asset_id = simulator.complete_upload(waiting_upload(made))["id"]

    def sleep(seconds: float) -> None:
        """Mux deletes no asset that it works on; it ends its work meanwhile."""
        slept.append(seconds)
        simulator.set_asset_ready(asset_id)

    made.take_away(sleep)
    assert (made.left, slept) == ([], [1.0])
    assert simulator.assets() == []


def test_a_refused_cancellation_of_an_upload_that_still_waits_leaves_it(
    simulator: Control, slept: list[float]
) -> None:
    made = Leftovers()
    upload_id = waiting_upload(made)
    simulator.fault("api", "status", match={"method": "PUT"}, status=403)
    made.take_away(slept.append)
    assert (made.left, slept) == ([f"upload {upload_id}"], [])


def test_what_is_gone_already_is_done(simulator: Control, slept: list[float]) -> None:
    [asset_id] = simulator.seed_assets(1)
    simulator.delete_asset_in_dashboard(asset_id)
    made = Leftovers(assets={asset_id})
    made.take_away(slept.append)
    assert (made.left, slept) == ([], [])


def test_a_fault_at_mux_is_tried_again_and_not_for_ever(
    simulator: Control, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MAX_TRIES", 3)
    made = Leftovers()
    upload_id = waiting_upload(made)
    simulator.fault("api", "status", match={"operation": "cancel_upload"}, status=500, times=4)
    made.take_away(slept.append)
    assert (made.left, slept) == ([f"upload {upload_id}"], [1.0] * 3)
    made.take_away(slept.append)
    assert (made.left, slept) == ([], [1.0] * 4)


@pytest.mark.parametrize("status", [200, 204, 403, 404, 500])
@pytest.mark.parametrize(
    ("ask", "method", "path"),
    [
        (lambda: requests.look("u1"), "GET", "/video/v1/uploads/u1"),
        (lambda: requests.cancel("u1"), "PUT", "/video/v1/uploads/u1/cancel"),
        (lambda: requests.delete("a1"), "DELETE", "/video/v1/assets/a1"),
        (requests.read, "GET", "/video/v1/uploads?limit=1&page=1"),
    ],
    ids=["look", "cancel", "delete", "read"],
)
def test_an_answer_comes_as_it_is_whatever_its_status(
    fake: FakeServer, ask: Callable[[], Answer], method: str, path: str, status: int
) -> None:
    fake.script(answer(b"" if status == 204 else b"as it is", status))
    found = ask()
    assert (found.status, found.body) == (status, b"" if status == 204 else b"as it is")
    assert [(one.method, one.path) for one in fake.asked] == [(method, path)]


def test_an_upload_is_made_of_just_what_was_given(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "u1", "status": "waiting"}}, 201))
    assert requests.create(BODY).id == "u1"
    assert fake.asked[0].json == BODY


def test_an_upload_that_mux_refuses_is_an_error(fake: FakeServer) -> None:
    fake.script(error(422))
    with pytest.raises(Refused):
        requests.create(BODY)


@pytest.mark.parametrize("given", ["", "..", "temp_1"])
@pytest.mark.parametrize("ask", [requests.look, requests.cancel, requests.delete])
def test_an_id_that_mux_never_gave_is_not_sent(
    fake: FakeServer, ask: Callable[[str], Answer], given: str
) -> None:
    fake.script(answer(b""))
    with pytest.raises(Refused):
        ask(given)
    assert fake.asked == []
