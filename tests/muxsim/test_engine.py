"""Whether the simulator is idle: what `flush` waits for."""

from typing import cast

from muxsim.clock import Clock
from muxsim.engine import Engine
from muxsim.store import Store
from muxsim.switches import Switches
from muxsim.webhooks.delivery import Sender


class BusyStore:
    """As the store looks while a timer ends: a count of the timers waits for it, and it has made a delivery."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made_at = float("inf")

    def number(self, query: str, now: float) -> int:
        if "FROM timers" in query:
            self._clock.advance(1)
            self._made_at = self._clock.now()
            return 0
        return int(self._made_at <= now)


def test_a_delivery_of_a_timer_that_ended_meanwhile_is_due() -> None:
    clock = Clock()
    switches = cast(Switches, {"deliveries_paused": False})
    engine = Engine(cast(Store, BusyStore(clock)), clock, switches, cast(Sender, None), {})
    assert not engine.idle()
