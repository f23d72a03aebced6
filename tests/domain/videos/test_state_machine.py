"""The life of an upload, cell by cell and in every order of arrival. The grid below is the specification, written out by
hand; nothing in here is read from the table that it judges."""

import itertools
from collections.abc import Iterable

import pytest

from lessonadmin.domain.models.videos import TRACKING_STATUSES
from lessonadmin.domain.videos.state_machine import (
    State,
    Step,
    VideoEvent,
    next_state,
    state_of,
    status_of,
)
from tests.cases import each_of

H, S = VideoEvent, State

# Columns: what happens. Rows: what an upload is. `.` stays, `?` stays and asks Mux (hearsay) or follows (seen).
GRID = """
                asset asset asset      asset   asset   upload  upload  upload    upload                       with- take
                seen  ready unplayable errored deleted waiting errored cancelled expired cancel delete letgo  draw  over
uploading       P     R     AF         AF      X       .       UF      UF        UF      C      D      X      W     .
processing      P     R     AF         AF      X       .       UF      .         .       C      D      X      .     .
ready           .     .     ?AF        ?AF     X       .       .       .         .       .      D      X      .     .
upload_failed   P     R     AF         AF      X       .       .       .         .       C      D      X      W     .
asset_failed    .     ?R    .          .       X       .       .       .         .       C      D      X      .     .
cancelled       .     .     .          .       .       .       .       .         .       .      D      X      .     .
withdrawn       H     H     H          H       X       .       .       .         .       .      D      X      .     .
held            .     .     .          .       X       .       .       .         .       .      D      X      .     P
deleting        .     .     .          .       X       .       .       .         .       .      .      X      .     .
deleted         .     .     .          .       .       .       .       .         .       .      .      .      .     .
"""
SHORT = {
    "P": S.PROCESSING,
    "R": S.READY,
    "AF": S.ASSET_FAILED,
    "UF": S.UPLOAD_FAILED,
    "C": S.CANCELLED,
    "W": S.WITHDRAWN,
    "H": S.HELD,
    "D": S.DELETING,
    "X": S.DELETED,
}
COLUMNS = (
    H.ASSET_SEEN,
    H.ASSET_READY,
    H.ASSET_UNPLAYABLE,
    H.ASSET_ERRORED,
    H.ASSET_DELETED,
    H.UPLOAD_WAITING,
    H.UPLOAD_ERRORED,
    H.UPLOAD_CANCELLED,
    H.UPLOAD_EXPIRED,
    H.CANCEL,
    H.DELETE,
    H.LET_GO,
    H.WITHDRAW,
    H.TAKE_OVER,
)


def cells() -> Iterable[tuple[State, VideoEvent, str]]:
    for line in GRID.strip().splitlines()[2:]:
        name, *found = line.split()
        for video_event, cell in zip(COLUMNS, found, strict=True):
            yield State(name), video_event, cell


def test_the_grid_has_every_cell() -> None:
    assert {(state, video_event) for state, video_event, _ in cells()} == set(
        itertools.product(State, VideoEvent)
    )


@each_of("seen", [False, True])
@each_of(("state", "video_event", "cell"), list(cells()))
def test_every_cell(state: State, video_event: VideoEvent, cell: str, seen: bool) -> None:
    step = next_state(state, video_event, seen=seen)
    if cell.startswith("?") and not seen:
        assert (step.state, step.ask) == (state, True)
    else:
        wanted = state if cell == "." else SHORT[cell.removeprefix("?")]
        assert (step.state, step.ask) == (wanted, False)


@each_of(("state", "video_event"), list(itertools.product(State, VideoEvent)))
def test_only_an_open_upload_that_was_replaced_ends_otherwise(state: State, video_event: VideoEvent) -> None:
    """Mux ends what a person has replaced: that is no failure."""
    step = next_state(state, video_event, replaced=True)
    if state is S.UPLOADING and video_event in (H.UPLOAD_CANCELLED, H.UPLOAD_EXPIRED):
        assert step == Step(S.CANCELLED)
    else:
        assert step == next_state(state, video_event)


@each_of(("state", "video_event"), list(itertools.product(State, VideoEvent)))
def test_the_second_time_nothing_moves(state: State, video_event: VideoEvent) -> None:
    for seen in (False, True):
        first = next_state(state, video_event, seen=seen)
        again = next_state(first.state, video_event, seen=seen)
        assert again.state == first.state


def run(events: Iterable[VideoEvent], start: State = S.UPLOADING) -> State:
    state = start
    for video_event in events:
        state = next_state(state, video_event).state
    return state


def orders(*events: VideoEvent) -> set[tuple[VideoEvent, ...]]:
    return set(itertools.permutations(events))


# What truly happened at Mux, and so how it must end, in whatever order and however often it is told.
TRUE_STORIES = {
    "it plays": ((H.ASSET_SEEN, H.ASSET_SEEN, H.ASSET_READY), S.READY),
    "it plays, told twice": ((H.ASSET_SEEN, H.ASSET_SEEN, H.ASSET_READY, H.ASSET_READY), S.READY),
    "our clock gave up too early": ((H.UPLOAD_EXPIRED, H.ASSET_SEEN, H.ASSET_READY), S.READY),
    "the file was no video": (
        (H.ASSET_SEEN, H.ASSET_SEEN, H.ASSET_ERRORED, H.UPLOAD_ERRORED),
        S.ASSET_FAILED,
    ),
    "no policy that we play": ((H.ASSET_SEEN, H.ASSET_UNPLAYABLE), S.ASSET_FAILED),
    "deleted after it played": ((H.ASSET_SEEN, H.ASSET_READY, H.ASSET_READY, H.ASSET_DELETED), S.DELETED),
    "deleted after it failed": (
        (H.ASSET_SEEN, H.ASSET_ERRORED, H.UPLOAD_ERRORED, H.ASSET_DELETED),
        S.DELETED,
    ),
    "deleted while it was processed": ((H.ASSET_SEEN, H.ASSET_SEEN, H.ASSET_DELETED), S.DELETED),
    "the upload failed": ((H.UPLOAD_WAITING, H.UPLOAD_ERRORED, H.UPLOAD_ERRORED), S.UPLOAD_FAILED),
    "cancelled elsewhere": ((H.UPLOAD_WAITING, H.UPLOAD_CANCELLED, H.UPLOAD_CANCELLED), S.UPLOAD_FAILED),
    "never came": ((H.UPLOAD_WAITING, H.UPLOAD_EXPIRED), S.UPLOAD_FAILED),
}


@each_of("story", TRUE_STORIES)
def test_every_order_of_arrival_ends_the_same(story: str) -> None:
    events, ending = TRUE_STORIES[story]
    assert {run(order) for order in orders(*events)} == {ending}


@each_of("story", TRUE_STORIES)
def test_everything_told_a_second_time_changes_nothing(story: str) -> None:
    events, ending = TRUE_STORIES[story]
    for order in orders(*events):
        for again in orders(*set(events)):
            assert run([*order, *again]) == ending


@each_of("story", TRUE_STORIES)
def test_a_person_who_gave_up_is_not_overruled(story: str) -> None:
    """Cancelled stays cancelled, whatever comes after; only what already played (or was gone) cannot be cancelled."""
    events, _ = TRUE_STORIES[story]
    for order in orders(*events):
        for place in range(len(order) + 1):
            before = run(order[:place])
            after = run([*order[:place], H.CANCEL, *order[place:]])
            if before in (S.READY, S.DELETED):
                assert after in (S.READY, S.DELETED)
            else:
                assert after == S.CANCELLED


@each_of("story", TRUE_STORIES)
def test_what_a_person_deleted_never_comes_back(story: str) -> None:
    events, _ = TRUE_STORIES[story]
    for order in orders(*events):
        for place in range(len(order) + 1):
            told_of_its_end = H.ASSET_DELETED in order
            after = run([*order[:place], H.DELETE, *order[place:]])
            assert after == (S.DELETED if told_of_its_end else S.DELETING)
            assert run([H.ASSET_DELETED], after) == S.DELETED


@each_of("story", TRUE_STORIES)
def test_what_was_withdrawn_comes_back_by_no_order_of_events(story: str) -> None:
    """A file that comes after the loss is held or gone, whatever is told and however often; only staff take it over."""
    events, _ = TRUE_STORIES[story]
    for order in orders(*events):
        after = run([H.WITHDRAW, *order, *order])
        gone = H.ASSET_DELETED in order
        came = any(one.startswith("asset_") for one in order)
        assert after == (S.DELETED if gone else S.HELD if came else S.WITHDRAWN)
        assert run([H.TAKE_OVER], after) == (S.PROCESSING if after is S.HELD else after)


@pytest.mark.parametrize("truth", [H.ASSET_READY, H.ASSET_ERRORED, H.ASSET_UNPLAYABLE])
def test_equals_that_disagree_are_settled_by_looking(truth: VideoEvent) -> None:
    """Ready against errored: the first stands, a question is raised, and Mux's own answer decides."""
    other = H.ASSET_ERRORED if truth is H.ASSET_READY else H.ASSET_READY
    for order in orders(H.ASSET_SEEN, truth, other):
        state, asked = S.UPLOADING, False
        for video_event in order:
            step = next_state(state, video_event)
            state, asked = step.state, asked or step.ask
        assert asked
        assert next_state(state, truth, seen=True).state == (
            S.READY if truth is H.ASSET_READY else S.ASSET_FAILED
        )


@each_of("status", TRACKING_STATUSES)
@each_of(
    "error",
    [
        None,
        "upload_errored",
        "upload_cancelled",
        "upload_timed_out",
        "asset_errored",
        "no_playback_id",
        "wrong_policy",
        "right_lost",
        "held",
    ],
)
def test_every_stored_row_has_a_state(status: str, error: str | None) -> None:
    assert status_of(state_of(status, error)) == status


def test_every_state_can_be_stored_and_read_back() -> None:
    errors = {
        S.UPLOAD_FAILED: "upload_timed_out",
        S.ASSET_FAILED: "asset_errored",
        S.WITHDRAWN: "right_lost",
        S.HELD: "held",
    }
    for state in State:
        assert status_of(state) in TRACKING_STATUSES
        assert state_of(status_of(state), errors.get(state)) == state


def test_the_two_kinds_of_failure_are_told_apart_by_what_failed() -> None:
    for ours in ("upload_errored", "upload_cancelled", "upload_timed_out"):
        assert state_of("error", ours) is S.UPLOAD_FAILED
    for theirs in ("asset_errored", "no_playback_id", "wrong_policy", "anything new", None):
        assert state_of("error", theirs) is S.ASSET_FAILED
