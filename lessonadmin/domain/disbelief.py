"""When "gone" is not believed: with a token of another Mux environment every asset answers so, and lessons would go dark.

Only looks that nobody asked for are counted and braked; a person who asks gets Mux's answer, and a walk has a brake of
its own (`reconcile`). What is not believed stays as it is, is looked at again later, and raises an alarm.
"""

from datetime import timedelta

from sqlalchemy import distinct, func, select

from lessonadmin.db import db
from lessonadmin.domain.models import MuxCall

GONE = "gone"
MOST_GONE = 10
# In another environment nothing of ours is found; where one is found for so many gone ones, our access is right.
GONE_FOR_ONE_FOUND = 10
WINDOW = timedelta(hours=1)
WORDS = "Mux says that it is gone, like so many others at once that our access is the likelier culprit."


def gone_lately() -> int:
    """How many lessons and courses Mux called gone to background looks within the hour; 0 while others were found."""
    within = MuxCall.at > func.clock_timestamp() - WINDOW
    targets = func.count(distinct(MuxCall.target_id))
    gone = db.session.scalar(select(targets).where(within, MuxCall.outcome == GONE)) or 0
    looked = MuxCall.operation.in_(("get_asset", "get_upload")) & (MuxCall.outcome == "ok")
    found = db.session.scalar(select(targets).where(within, looked)) or 0
    return gone if gone > GONE_FOR_ONE_FOUND * found else 0


def too_many() -> bool:
    return gone_lately() > MOST_GONE
