"""Links by mail: the outbox of `models.AccountLink`, sent by a job and by every sweep.

The secret is made here, when the mail is written, and only its hash is stored before the mail leaves. A mail server that
is away delays a link and loses none: at the next try it gets a new secret. A link that has ended meanwhile is not sent,
nor is one to an address that another account has by now.
"""

import logging
import uuid

from sqlalchemy import and_, func, or_, select, update

from lessonadmin import config
from lessonadmin.db import JOB, db, later, transaction
from lessonadmin.domain import backoff
from lessonadmin.domain.account_life import link_text
from lessonadmin.domain.accounts import links, users
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.domain.models.accounts import LinkKind
from lessonadmin.domain.notifications import delivery, mail_text
from lessonadmin.domain.notifications.smtp import Away, Refused, SmtpConnection

log = logging.getLogger(__name__)

LEASE_SECONDS = 120
FIRST_PAUSE = 30
MAX_PAUSE_SECONDS = 1800
MAX_AT_ONCE = 100
# A link that could not leave for so long is of no use to the person who asked for it.
GIVE_UP_SECONDS: dict[LinkKind, int] = {
    "password_reset": 86_400,  # a kind of link and its seconds # nosec B105
    "invitation": 5 * 86_400,
    "new_address": 86_400,
}

WAITING = and_(AccountLink.mail_wanted, AccountLink.mailed_at.is_(None), links.UNUSED)


def send_due() -> int:
    """Send whatever waits; how many mails left."""
    if not delivery.is_on():
        return 0
    sent = 0
    ids = _claim()
    with SmtpConnection() as connection:
        for number, link_id in enumerate(ids):
            try:
                sent += _send(connection, link_id)
            except Away as error:
                log.warning("the mail server is away: %s", error)
                _try_later(ids[number:], str(error))
                break
    return sent


def _claim() -> list[uuid.UUID]:
    """Take links in hand for a while, so that two workers do not send the same one."""
    due = (
        select(AccountLink.id)
        .where(WAITING, AccountLink.mail_due_at <= func.clock_timestamp())
        .order_by(AccountLink.mail_due_at)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    claimed = db.session.scalars(
        update(AccountLink)
        .where(AccountLink.id.in_(due))
        .values(mail_due_at=later(LEASE_SECONDS), mail_attempts=AccountLink.mail_attempts + 1)
        .returning(AccountLink.id)
        .execution_options(synchronize_session=False)
    ).all()
    db.session.commit()
    return sorted(claimed)


def _send(connection: SmtpConnection, link_id: uuid.UUID) -> int:
    with transaction(JOB):
        issued = _issue(link_id)
    if issued is None:
        return 0
    link, user, secret = issued
    try:
        mail = link_text.write(link, user, secret)
        connection.send(mail, link.email)
    except mail_text.Unwritable as error:
        _note([link_id], mail_wanted=False, mail_error=str(error))
        return 0
    except Refused as error:
        log.warning("a mail could not be sent: %s", str(error).partition(":")[0])
        if error.for_good:
            _note([link_id], mail_wanted=False, mail_error=str(error))
        else:
            _try_later([link_id], str(error))
        return 0
    _note([link_id], mailed_at=func.clock_timestamp(), mail_error=None)
    return 1


def _issue(link_id: uuid.UUID) -> tuple[AccountLink, User, str] | None:
    """The link with a secret that is stored, if it may still leave."""
    issued = links.issue(link_id)
    if issued is None:
        return None
    link, secret = issued
    user = db.session.get_one(User, link.user_id, populate_existing=True)
    holder = users.find_by_email(link.email)
    is_free = holder is None or holder.id == user.id
    if not user.active or not is_free:
        link.ended_at = func.clock_timestamp()
        return None
    if link.mail_attempts == 1 and link.kind == "password_reset" and link.made_by is None:
        audit_log.record("user.password_link_asked", user, address=link.address or None)
    return link, user, secret


def _try_later(ids: list[uuid.UUID], error: str) -> None:
    """After a pause that doubles, for as long as the link is of use."""
    pause = backoff.pause_of(AccountLink.mail_attempts, first=FIRST_PAUSE, max_seconds=MAX_PAUSE_SECONDS)
    useful = [
        and_(AccountLink.kind == kind, AccountLink.created_at > later(-seconds))
        for kind, seconds in GIVE_UP_SECONDS.items()
    ]
    _note(ids, mail_error=error, mail_due_at=later(pause), mail_wanted=or_(*useful))


def _note(ids: list[uuid.UUID], **values: object) -> None:
    db.session.execute(
        update(AccountLink)
        .where(AccountLink.id.in_(ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def address_of(kind: LinkKind, secret: str) -> str:
    """Where a link leads, for a person who hands it over."""
    return link_text.address_of(kind, secret, base=config.current().public_url)
