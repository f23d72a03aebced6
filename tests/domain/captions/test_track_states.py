"""A text track goes on, never back, whatever is heard first; the first of the ready ones stands for all."""

import itertools

from lessonadmin.domain.captions import track_states
from lessonadmin.domain.models import CaptionTrack

HEARD = ("preparing", "ready", "failed", "skipped", "deleted")


def end_of(heard: tuple[str, ...]) -> str | None:
    state: str | None = None
    for one in heard:
        state = track_states.next_state(state, one, seen=False)
    return state


def test_any_order_and_any_repetition_ends_the_same() -> None:
    for end in ("ready", "failed", "skipped"):
        told = ("preparing", end, "preparing", end)
        assert {end_of(order) for order in itertools.permutations(told)} == {end}
        assert {end_of(order) for order in itertools.permutations((*told, "deleted"))} == {"deleted"}


def test_a_look_has_the_last_word_but_for_what_is_deleted() -> None:
    assert track_states.next_state("ready", "preparing", seen=True) == "preparing"
    assert track_states.next_state("failed", "ready", seen=True) == "ready"
    assert {track_states.next_state("deleted", one, seen=True) for one in HEARD} == {"deleted"}


def test_a_word_of_tomorrow_says_nothing() -> None:
    assert track_states.STATES.get("unknown") is None
    assert track_states.next_state(None, None, seen=True) is None
    assert track_states.next_state("ready", None, seen=True) == "ready"


def test_one_track_stands_for_all() -> None:
    tracks = [CaptionTrack(state=state) for state in ("deleted", "skipped", "failed", "preparing", "ready")]
    seen = []
    while (found := track_states.shown(tracks)) is not None:
        seen.append(found.state)
        tracks.remove(found)
    assert seen == ["ready", "preparing", "failed", "skipped"]
    assert [one.state for one in tracks] == ["deleted"]
