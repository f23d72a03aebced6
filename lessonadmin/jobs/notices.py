"""Jobs about notices."""

import uuid

from lessonadmin.domain import mailing


def send_mail(notice_id: str) -> None:
    """Send one notice by mail; if that fails, the sweep tries again."""
    mailing.send_one(uuid.UUID(notice_id))
