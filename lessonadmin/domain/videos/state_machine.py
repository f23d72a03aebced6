"""The life of one upload as a complete table: every state times everything that can happen.

Pure: no database, no clock, no Mux. It never raises for a late, double, early or foreign event; what makes no sense
in a state leaves it as it is. Order is by rank, not by time: an asset outranks its upload, deleted outranks all, and
where two equals disagree (ready against errored) the table says "ask" and only Mux's direct answer decides.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    UPLOADING = "uploading"  # the URL is out, Mux has no file yet
    PROCESSING = "processing"  # Mux has an asset and works on it
    READY = "ready"  # it plays
    UPLOAD_FAILED = "upload_failed"  # no asset came of it: expired, errored, cancelled elsewhere
    ASSET_FAILED = "asset_failed"  # the asset errored, or cannot be played with the policy that was asked for
    CANCELLED = "cancelled"  # a person gave it up
    WITHDRAWN = "withdrawn"  # its starter lost the right to its lesson or course before a file was at Mux
    HELD = "held"  # and a file came after that: only staff decide what becomes of it
    DELETING = "deleting"  # a person wants it gone, Mux has not confirmed
    DELETED = "deleted"  # it is gone, at Mux or (let go) for this lesson or course


class VideoEvent(StrEnum):
    ASSET_SEEN = "asset_seen"
    ASSET_READY = "asset_ready"
    ASSET_UNPLAYABLE = "asset_unplayable"
    ASSET_ERRORED = "asset_errored"
    ASSET_DELETED = "asset_deleted"
    UPLOAD_WAITING = "upload_waiting"
    UPLOAD_ERRORED = "upload_errored"
    UPLOAD_CANCELLED = "upload_cancelled"
    UPLOAD_EXPIRED = "upload_expired"
    CANCEL = "cancel"  # by a person
    DELETE = "delete"  # by a person
    LET_GO = "let_go"  # by a person, while another lesson or course goes on using the asset
    WITHDRAW = "withdraw"  # the right was lost
    TAKE_OVER = "take_over"  # by staff, of what is held


@dataclass(frozen=True)
class Step:
    """Where it goes. `ask`: two equals disagree, so the state stays and Mux is asked."""

    state: State
    ask: bool = False


S, H = State, VideoEvent

UPLOAD_FAILURE_MOVES = {
    H.UPLOAD_ERRORED: S.UPLOAD_FAILED,
    H.UPLOAD_CANCELLED: S.UPLOAD_FAILED,
    H.UPLOAD_EXPIRED: S.UPLOAD_FAILED,
}
ASSET_MOVES = {
    H.ASSET_SEEN: S.PROCESSING,
    H.ASSET_READY: S.READY,
    H.ASSET_UNPLAYABLE: S.ASSET_FAILED,
    H.ASSET_ERRORED: S.ASSET_FAILED,
    H.ASSET_DELETED: S.DELETED,
}
PERSON_MOVES = {H.CANCEL: S.CANCELLED, H.DELETE: S.DELETING, H.LET_GO: S.DELETED}
WITHDRAWN_MOVES = {
    H.ASSET_SEEN: S.HELD,
    H.ASSET_READY: S.HELD,
    H.ASSET_UNPLAYABLE: S.HELD,
    H.ASSET_ERRORED: S.HELD,
    H.ASSET_DELETED: S.DELETED,
    H.DELETE: S.DELETING,
    H.LET_GO: S.DELETED,
}

# What moves; every pair that is not listed stays.
MOVES: dict[State, dict[VideoEvent, State]] = {
    S.UPLOADING: ASSET_MOVES | UPLOAD_FAILURE_MOVES | PERSON_MOVES | {H.WITHDRAW: S.WITHDRAWN},
    # Mux reports a file that is no video as an upload that errored after its asset was made.
    S.PROCESSING: ASSET_MOVES | {H.UPLOAD_ERRORED: S.UPLOAD_FAILED} | PERSON_MOVES,
    S.READY: {H.ASSET_DELETED: S.DELETED, H.DELETE: S.DELETING, H.LET_GO: S.DELETED},
    # Lessonadmin may have given up before Mux did: an asset that comes after all is welcome.
    S.UPLOAD_FAILED: ASSET_MOVES | PERSON_MOVES | {H.WITHDRAW: S.WITHDRAWN},
    S.ASSET_FAILED: {H.ASSET_DELETED: S.DELETED} | PERSON_MOVES,
    S.CANCELLED: {H.DELETE: S.DELETING, H.LET_GO: S.DELETED},
    S.WITHDRAWN: WITHDRAWN_MOVES,
    S.HELD: {
        H.ASSET_DELETED: S.DELETED,
        H.DELETE: S.DELETING,
        H.LET_GO: S.DELETED,
        H.TAKE_OVER: S.PROCESSING,
    },
    S.DELETING: {H.ASSET_DELETED: S.DELETED, H.LET_GO: S.DELETED},
    S.DELETED: {},
}
# Equals that disagree: hearsay only raises the question, a direct look at Mux answers it.
DISPUTES: dict[tuple[State, VideoEvent], State] = {
    (S.READY, H.ASSET_ERRORED): S.ASSET_FAILED,
    (S.READY, H.ASSET_UNPLAYABLE): S.ASSET_FAILED,
    (S.ASSET_FAILED, H.ASSET_READY): S.READY,
}


def next_state(state: State, event: VideoEvent, *, seen: bool = False, replaced: bool = False) -> Step:
    """Where an upload goes when this happens. `seen`: Mux said so when it was asked, not in an event. `replaced`:
    another upload took its place, so it did not fail when Mux ends it: a person has."""
    if replaced and state is S.UPLOADING and event in (H.UPLOAD_CANCELLED, H.UPLOAD_EXPIRED):
        return Step(S.CANCELLED)
    disputed = DISPUTES.get((state, event))
    if disputed is not None:
        return Step(disputed) if seen else Step(state, ask=True)
    return Step(MOVES[state].get(event, state))


# Error types that belong to the upload; every other one belongs to the asset.
UPLOAD_ERRORS = {
    H.UPLOAD_ERRORED: "upload_errored",
    H.UPLOAD_CANCELLED: "upload_cancelled",
    H.UPLOAD_EXPIRED: "upload_timed_out",
}


# The error type of an upload for which Mux gave no address: it never counted for its lesson or course.
NOT_BEGUN = "upload_not_created"

# What a cancelled upload that was withdrawn carries as its error type.
KEPT_BACK = {S.WITHDRAWN: "right_lost", S.HELD: "held"}


def state_of(status: str, error_type: str | None) -> State:
    """The state that a stored row is in: `error` is two states, told apart by what failed, and `cancelled` three."""
    if status == "cancelled":
        return next((state for state, word in KEPT_BACK.items() if word == error_type), S.CANCELLED)
    if status == "error":
        return S.UPLOAD_FAILED if error_type in UPLOAD_ERRORS.values() else S.ASSET_FAILED
    return State(status)


def is_withdrawn(status: str, error_type: str | None) -> bool:
    """The starter of this upload has lost the right to it, whether a file came after that or not."""
    return state_of(status, error_type) in KEPT_BACK


def status_of(state: State) -> str:
    """How a state is stored."""
    if state in KEPT_BACK:
        return "cancelled"
    return "error" if state in (S.UPLOAD_FAILED, S.ASSET_FAILED) else state.value
