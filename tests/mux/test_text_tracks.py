"""The calls about captions over HTTP: what reaches Mux, what comes back, and what each kind of failure is."""

import json
import uuid

import pytest

from lessonadmin import mux
from muxsim.client import Control
from tests.mux.fake_server import FakeServer, answer

ASKED = {"language": "de", "name": "German", "passthrough": "row 1", "priority": "low"}


@pytest.fixture
def asset(simulator: Control) -> mux.Asset:
    upload = mux.create_upload(
        passthrough=mux.Passthrough(lesson_id=uuid.UUID(int=1)), external_id="t1", policy="public"
    )
    made = simulator.complete_upload(upload.id)["id"]
    simulator.set_asset_ready(made)
    return mux.get_asset(made, priority="low")


def test_captions_from_first_to_last(simulator: Control, asset: mux.Asset) -> None:
    assert asset.audio_track_id is not None
    made = mux.generate_captions(asset.id, asset.audio_track_id, **ASKED)  # type: ignore[arg-type]
    assert (made.status, made.generated, made.language, made.name) == ("preparing", True, "de", "German")
    assert made.passthrough == "row 1"
    assert simulator.flush_events()
    [seen] = mux.get_asset(asset.id, priority="low").text_tracks
    assert (seen.id, seen.passthrough) == (made.id, "row 1")
    mux.delete_track(asset.id, made.id, priority="low")
    assert mux.get_asset(asset.id, priority="low").text_tracks == ()
    with pytest.raises(mux.Gone):
        mux.delete_track(asset.id, made.id, priority="low")


def test_own_captions_are_told_by_their_address(fake: FakeServer) -> None:
    track = {
        "id": "t1",
        "type": "text",
        "status": "preparing",
        "passthrough": "row 1",
        "text_source": "uploaded",
    }
    fake.script(answer({"data": track}, 201))
    made = mux.add_text_track("a1", url="https://school.example/captions/x", **ASKED)  # type: ignore[arg-type]
    assert (made.id, made.status, made.generated, made.passthrough) == ("t1", "preparing", False, "row 1")
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("POST", "/video/v1/assets/a1/tracks")
    assert json.loads(asked.body) == {
        "url": "https://school.example/captions/x", "type": "text", "text_type": "subtitles", "language_code": "de",
        "name": "German", "passthrough": "row 1", "closed_captions": True,
    }  # fmt: skip


def test_an_answer_about_another_track_is_not_taken_for_the_one_that_was_asked_for(fake: FakeServer) -> None:
    others = [{"id": "t2", "type": "text", "passthrough": "another row"}]
    for data in (others, [], [{"type": "text", "passthrough": "row 1"}]):
        fake.script(answer({"data": data}, 201))
        with pytest.raises(mux.Nonsense):
            mux.generate_captions("a1", "t1", **ASKED)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["", "../assets", "a b"])
def test_a_track_id_that_cannot_be_one_is_never_sent(fake: FakeServer, wrong: str) -> None:
    with pytest.raises(mux.Refused):
        mux.delete_track("a1", wrong, priority="low")
    with pytest.raises(mux.Refused):
        mux.generate_captions("a1", wrong, **ASKED)  # type: ignore[arg-type]
    assert fake.asked == []


def test_a_silent_asset_has_no_track_of_sound(simulator: Control) -> None:
    [seeded] = simulator.seed_assets(1)
    assert mux.get_asset(seeded, priority="low").audio_track_id is None
