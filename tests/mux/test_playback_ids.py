"""One more way to play an asset, and the end of one: what reaches Mux, what comes back, what is never sent."""

from collections.abc import Callable

import pytest

from lessonadmin import mux
from lessonadmin.mux import transport
from muxsim.client import Control
from tests.mux.fake_server import FakeServer, answer

Counted = Callable[[str, str], float]


def test_an_asset_gets_a_signed_playback_id_and_loses_its_public_one(
    simulator: Control, counted: Counted
) -> None:
    (asset_id,) = simulator.seed_assets(1, policy="public")
    made = mux.create_playback_id(asset_id, policy="signed", priority="low")
    asset = mux.get_asset(asset_id, priority="low")
    public = asset.playback_id_for("public")
    assert (made.policy, asset.playback_id_for("signed")) == ("signed", made.id)
    assert public is not None
    mux.delete_playback_id(asset_id, public, priority="low")
    assert mux.get_asset(asset_id, priority="low").playback_ids == (made,)
    assert (counted("create_playback_id", "ok"), counted("delete_playback_id", "ok")) == (1, 1)


def test_what_reaches_mux(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "p1", "policy": "signed"}}, 201), answer(b"", 204))
    mux.create_playback_id("a1", policy="signed", priority="low")
    mux.delete_playback_id("a1", "p1", priority="low")
    assert [(one.method, one.path) for one in fake.asked] == [
        ("POST", "/video/v1/assets/a1/playback-ids"),
        ("DELETE", "/video/v1/assets/a1/playback-ids/p1"),
    ]
    assert fake.asked[0].json == {"policy": "signed"}


@pytest.mark.parametrize("odd", [{}, {"id": ""}, {"id": "p1", "policy": "public"}, [], {"id": 7}])
def test_an_answer_that_is_no_playback_id_of_this_policy_is_nonsense(fake: FakeServer, odd: object) -> None:
    fake.script(answer({"data": odd}, 201))
    with pytest.raises(mux.Nonsense):
        mux.create_playback_id("a1", policy="signed", priority="low")


def test_a_lost_answer_to_a_creation_is_not_repeated(
    simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asset_id,) = simulator.seed_assets(1, policy="public")
    monkeypatch.setattr(transport, "LIMITS", transport.Limits(connect=0.5, read=0.4, whole=0.9))
    simulator.fault("api", "hang", match={"operation": "create_playback_id"}, seconds=2, after=True)
    with pytest.raises(mux.Later):
        mux.create_playback_id(asset_id, policy="signed", priority="low")
    assert len(simulator.asset(asset_id)["playback_ids"]) == 2


@pytest.mark.parametrize(
    ("asset_id", "playback_id"), [("a1", ""), ("", "p1"), ("temp_x", "p1"), ("a1", "..")]
)
def test_an_id_that_mux_cannot_have_made_is_never_sent(
    fake: FakeServer, asset_id: str, playback_id: str
) -> None:
    with pytest.raises(mux.Refused):
        mux.delete_playback_id(asset_id, playback_id, priority="low")
    assert fake.asked == []


def test_a_playback_id_that_is_gone_is_gone(simulator: Control) -> None:
    (asset_id,) = simulator.seed_assets(1, policy="public")
    with pytest.raises(mux.Gone):
        mux.delete_playback_id(asset_id, "nobodysplaybackid", priority="low")
