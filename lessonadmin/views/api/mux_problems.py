"""What went wrong with Mux, worded for the user who asks: staff read Mux's own words, the others what to do."""

from lessonadmin import mux
from lessonadmin.domain.errors import Conflict, Problem, Unavailable

FULL = "No more videos can be uploaded right now: the limit of the video plan is reached. Ask support to raise it."
REFUSED = "Mux did not accept this upload. Please tell support."
PLAIN = {"quota": FULL, "mux_refused": REFUSED}


def worded_for(problem: Problem, *, staff: bool) -> Problem:
    """The same refusal, worded for this reader."""
    cause = problem.__cause__
    if not isinstance(problem, Conflict | Unavailable) or not isinstance(cause, mux.MuxError):
        return problem
    words = cause.message if staff else PLAIN.get(problem.type, problem.message)
    if isinstance(problem, Unavailable):
        return Unavailable(problem.type, words, retry_after=problem.retry_after)
    return Conflict(problem.type, words)
