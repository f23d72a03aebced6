"""Whether a token is of the environment that the school's videos are in: by Mux's word, by what is seen, by numbers."""

import pytest

from lessonadmin import mux
from lessonadmin.domain.polling import environment
from muxsim.options import ENVIRONMENT
from muxsim.webhooks.events import environment_id
from tests.factories import make_event, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


@pytest.mark.parametrize(
    ("gone", "found", "implausible"),
    [(0, 0, False), (10, 0, False), (11, 0, True), (11, 1, True), (11, 2, False), (110, 11, False), (111, 11, True)],
)  # fmt: skip
def test_many_gone_and_hardly_one_found(gone: int, found: int, implausible: bool) -> None:
    assert environment.implausible(gone=gone, found=found) is implausible


def test_muxs_word_outweighs_what_is_seen(mux_sim: MuxSim) -> None:
    """Other programs may share the environment: that none of the newest videos is the school's says nothing then."""
    make_playing_lesson()
    mux_sim.control.seed_assets(3)
    make_event(environment_id=environment_id(ENVIRONMENT), outcome="applied")
    assert not environment.is_another("low")
    make_event(environment_id="elsewhere", outcome="applied")
    assert environment.is_another("low")


@pytest.mark.parametrize("told", [True, False])
def test_without_muxs_word_or_an_event_to_compare_it_with_what_is_seen_decides(
    mux_sim: MuxSim, told: bool
) -> None:
    if told:
        make_event(environment_id=environment_id(ENVIRONMENT), outcome="applied")
        mux_sim.control.fault("api", "status", match={"operation": "whoami"}, status=404)
    mux_sim.control.seed_assets(3)
    assert not environment.is_another("low")  # nothing plays here, so nothing need be there
    make_playing_lesson()
    assert environment.is_another("low")
    make_tracking(make_lesson(), status="processing", mux_asset_id=mux_sim.control.seed_assets(1)[0])
    assert not environment.is_another("low")


def test_a_mux_that_is_away_decides_nothing(mux_sim: MuxSim) -> None:
    make_event(environment_id="elsewhere", outcome="applied")
    mux_sim.control.fault("api", "status", status=503)
    with pytest.raises(mux.Later):
        environment.is_another("low")
