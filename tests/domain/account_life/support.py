"""Links as they arrive by mail, time that passes for them, and what is left in the tables."""

import re

from sqlalchemy import func, select, update

from lessonadmin.db import db, later
from lessonadmin.domain.account_life import link_mail
from lessonadmin.domain.models import AccountLink, AuditLog, Notification, User
from tests.postbox import Postbox

PUBLIC_URL = "https://lessons.school.example"
NEW = "bread and butter on Sundays"


def secrets_in(box: Postbox) -> list[str]:
    """Of every mail with a link, in the order of their arrival."""
    found = [re.search(r"/(?:reset-password|invitation|new-address)/(\S+)", one.text) for one in box.received]
    return [match[1] for match in found if match]


def arrives(box: Postbox) -> str:
    """The secret of the link that leaves now."""
    before = len(secrets_in(box))
    assert link_mail.send_due() == 1
    return secrets_in(box)[before]


def links_of(user: User) -> list[AccountLink]:
    db.session.rollback()
    rows = select(AccountLink).where(AccountLink.user_id == user.id).order_by(AccountLink.id)
    return list(db.session.scalars(rows.execution_options(populate_existing=True)))


def time_passes(seconds: int) -> None:
    past = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    db.session.execute(
        update(AccountLink).values(
            created_at=AccountLink.created_at - past,
            expires_at=AccountLink.expires_at - past,
            mail_due_at=AccountLink.mail_due_at - past,
        )
    )
    db.session.commit()


def make_due() -> None:
    db.session.execute(update(AccountLink).values(mail_due_at=later(-1)))
    db.session.commit()


def actions_of(user: User) -> list[str]:
    rows = select(AuditLog.action).where(AuditLog.target_id == user.id).order_by(AuditLog.at, AuditLog.id)
    return list(db.session.scalars(rows))


def told(user: User) -> list[str]:
    rows = select(Notification.message).where(Notification.user_id == user.id).order_by(Notification.id)
    return list(db.session.scalars(rows))
