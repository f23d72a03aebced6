"""The address at which Mux fetches captions that a person wrote: signed, for one row of `CaptionTrack`, and for a quarter of an hour.

Mux takes captions by address only. Nothing else is behind the address, and it opens only while Mux is to fetch them.
"""

import uuid

from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import select

from lessonadmin import config
from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain.models import CaptionTrack
from lessonadmin.text.ids import as_id

PATH = "/captions/"
LIVES_SECONDS = 15 * 60


def _signer() -> TimestampSigner:
    settings = config.current()
    # the last one signs
    keys = [*reversed(settings.secret_key_fallbacks), settings.secret_key]
    return TimestampSigner(keys, salt="lessonadmin captions")


def of(row_id: uuid.UUID) -> str:
    return config.current().public_url + PATH + _signer().sign(str(row_id)).decode()


def text_at(signed: str) -> str | None:
    """The captions that this address opens; None for what is not signed, too old, or fetched already."""
    try:
        row_id = as_id(_signer().unsign(signed, max_age=LIVES_SECONDS).decode())
    except BadSignature:
        return None
    with row_access.everything():  # Mux asks, and no user
        wanted = select(CaptionTrack.webvtt).where(
            CaptionTrack.id == row_id, CaptionTrack.state.in_(("asked", "preparing"))
        )
        return db.session.scalar(wanted) if row_id is not None else None
