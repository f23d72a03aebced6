"""Jobs about notices."""

import uuid

from lessonadmin.domain.notifications import delivery


def send_mail(notice_id: str) -> None:
    """Send one notice by mail; if that fails, the sweep tries again."""
    delivery.send_one(uuid.UUID(notice_id))
