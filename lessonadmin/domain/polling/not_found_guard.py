"""When "gone" is not believed: with a token of another Mux environment every asset answers so, and lessons would go dark.

Only looks that no person asked for are counted and braked; a person who asks gets Mux's answer, and a run brakes
by the same rule (`environment`). What is not believed stays as it is, is looked at again later, and raises an alarm.
"""

from datetime import timedelta

from sqlalchemy import distinct, func, select

from lessonadmin.db import db
from lessonadmin.domain.models import MuxCall
from lessonadmin.domain.polling import environment

GONE = "gone"
WINDOW = timedelta(hours=1)
IGNORED_MESSAGE = "Mux says that it does not exist, like so many others at once that the access token is the more likely cause."


def suspicious_not_found() -> int:
    """How many lessons and courses Mux called gone to background looks within the hour, if that is too many; else 0."""
    within = MuxCall.at > func.clock_timestamp() - WINDOW
    targets = func.count(distinct(MuxCall.target_id))
    gone = db.session.scalar(select(targets).where(within, MuxCall.outcome == GONE)) or 0
    looked = MuxCall.operation.in_(("get_asset", "get_upload")) & (MuxCall.outcome == "ok")
    found = db.session.scalar(select(targets).where(within, looked)) or 0
    return gone if environment.implausible(gone=gone, found=found) else 0
