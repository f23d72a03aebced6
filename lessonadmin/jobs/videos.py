"""Jobs about videos. Without budget, or with Mux away, they leave the row due and the sweep takes it up."""

import uuid
from datetime import datetime

from lessonadmin.db import JOB
from lessonadmin.domain import mux_budget
from lessonadmin.domain.captions import carrying_out, fetching
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.polling import ask_mux, survey
from lessonadmin.domain.videos import cleanup


def check_asset(tracking_id: str) -> None:
    """Ask Mux about one upload now, if that is still due."""
    with mux_budget.call(2) as granted:
        if granted and survey.claim(uuid.UUID(tracking_id)):
            try:
                ask_mux.check_upload(uuid.UUID(tracking_id), actor=JOB, priority="low", found_by="sweep")
            except Missing:
                return  # deleted meanwhile


def check_assets(handed_over_at: str) -> None:
    """Ask Mux about all uploads that the clock handed over at this moment, by pages."""
    survey.check_handed_over(datetime.fromisoformat(handed_over_at), actor=JOB)


def delete_asset(deletion_id: str) -> None:
    """Delete one asset at Mux (an outbox row)."""
    with mux_budget.call(2) as granted:
        if granted:
            cleanup.finish_deletion(uuid.UUID(deletion_id), actor=JOB)


def cancel_upload(cancellation_id: str) -> None:
    """Cancel one upload at Mux (an outbox row)."""
    with mux_budget.call(2) as granted:
        if granted:
            cleanup.finish_cancellation(uuid.UUID(cancellation_id), actor=JOB)


def carry_out_captions(row_id: str) -> None:
    """Tell Mux what was asked for about captions (a row of them)."""
    with mux_budget.call(carrying_out.CALLS) as granted:
        if granted:
            carrying_out.carry_out(uuid.UUID(row_id), actor=JOB)


def fetch_transcript(row_id: str) -> None:
    """Fetch the text of captions that are ready (a row of them)."""
    with mux_budget.call(fetching.CALLS) as granted:
        if granted:
            fetching.fetch(uuid.UUID(row_id), actor=JOB)
