"""Jobs about notices."""

import uuid

from lessonadmin.domain.account_life import link_mail
from lessonadmin.domain.notifications import announcing, delivery


def send_links() -> None:
    """Send every link by mail that waits; if that fails, the sweep tries again."""
    link_mail.send_due()


def send_mail(notice_id: str) -> None:
    """Send one notice by mail; if that fails, the sweep tries again."""
    delivery.send_one(uuid.UUID(notice_id))


def tell_students() -> None:
    """Write notices to students for a while; what is left is for the next job, and for the sweep if that is lost."""
    announcing.tell_some()
