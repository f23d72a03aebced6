"""Notices by mail: a copy of what stands in the app, sent by a job, never in the way of anything.

The notice is a row that waits until it has left; a mail server that is away delays it and loses nothing. Notices of one
cause to one person leave as one digest. The Message-ID comes from the notice, so a mail that is sent twice (a process
killed between sending and noting) is shown once by the reader's program.
"""

import logging
import smtplib
import ssl
import uuid
from collections import defaultdict
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from sqlalchemy import func, select, update

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.checks import later
from lessonadmin.domain.models import Notification, User

log = logging.getLogger(__name__)

SMTP_SECONDS = 10
LEASE_SECONDS = 300
MOST_ATTEMPTS = 12
LONGEST_PAUSE = 6 * 3600
MOST_AT_ONCE = 200
SUBJECTS = {
    "lesson_published": "Your lesson is published",
    "video_ready": "Your video is ready",
    "video_failed": "A video failed",
    "needs_attention": "A lesson needs your attention",
    "video_deleted": "A video was deleted",
    "alarm": "Lessonadmin needs attention",
}


def is_on() -> bool:
    return config.current().mail_url is not None


def send_due() -> int:
    """Send whatever waits; how many notices left."""
    if not is_on():
        return 0
    due = db.session.scalars(
        select(Notification.id)
        .where(
            Notification.mail_wanted,
            Notification.mailed_at.is_(None),
            Notification.mail_due_at <= func.clock_timestamp(),
        )
        .order_by(Notification.mail_due_at)
        .limit(MOST_AT_ONCE)
    ).all()
    db.session.rollback()
    return _send(_claim(due))


def send_one(notice_id: uuid.UUID) -> int:
    """Send one notice now, with whatever waits for the same person and cause."""
    return _send(_claim([notice_id])) if is_on() else 0


def _claim(ids: Sequence[uuid.UUID]) -> list[Notification]:
    """Take notices in hand for a while, so that two workers do not send the same one."""
    rows = db.session.scalars(
        update(Notification)
        .where(
            Notification.id.in_(ids),
            Notification.mail_wanted,
            Notification.mailed_at.is_(None),
            Notification.mail_due_at <= func.clock_timestamp(),
        )
        .values(mail_due_at=later(LEASE_SECONDS), mail_attempts=Notification.mail_attempts + 1)
        .returning(Notification)
        .execution_options(populate_existing=True)
    ).all()
    db.session.commit()
    return list(rows)


def _send(notices: list[Notification]) -> int:
    bundles: dict[tuple[uuid.UUID, str, str | None], list[Notification]] = defaultdict(list)
    for notice in notices:
        alone = str(notice.id) if notice.cause is None else notice.cause
        bundles[notice.user_id, notice.kind, alone].append(notice)
    sent = 0
    for (user_id, _, _), bundle in bundles.items():
        user = db.session.get(User, user_id)
        db.session.rollback()
        if user is None or not user.active or not user.mail_notices:
            _note(bundle, mail_wanted=False)
            continue
        try:
            _deliver(compose(user, bundle))
        except (OSError, smtplib.SMTPException) as error:
            _try_later(bundle, error)
            continue
        _note(bundle, mailed_at=func.clock_timestamp(), mail_error=None)
        sent += len(bundle)
    return sent


def _note(bundle: list[Notification], **values: object) -> None:
    ids = [notice.id for notice in bundle]
    db.session.execute(update(Notification).where(Notification.id.in_(ids)).values(**values))
    db.session.commit()


def _try_later(bundle: list[Notification], error: Exception) -> None:
    attempts = max(notice.mail_attempts for notice in bundle)
    log.warning("a mail could not be sent: %s", type(error).__name__)
    _note(
        bundle,
        mail_error=f"{type(error).__name__}: {error}"[:300],
        mail_due_at=later(min(30 * 2**attempts, LONGEST_PAUSE)),
        mail_wanted=attempts < MOST_ATTEMPTS,
    )


def compose(user: User, bundle: list[Notification]) -> EmailMessage:
    """The mail for one notice, or one digest for several of the same cause."""
    first = bundle[0]
    mail = EmailMessage()
    subject = SUBJECTS.get(first.kind, "News from Lessonadmin")
    mail["Subject"] = subject if len(bundle) == 1 else f"{subject} ({len(bundle)} lessons)"
    mail["To"] = user.email
    mail["From"] = f"Lessonadmin <{_sender()}>"
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{first.id}@{urlsplit(config.current().public_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    said = [f"{notice.message}\n{link(notice)}" for notice in bundle]
    opening = "" if len(bundle) == 1 else f"{len(bundle)} lessons are affected by the same cause.\n\n"
    mail.set_content(opening + "\n\n".join(said) + "\n")
    return mail


def link(notice: Notification) -> str:
    """Where the reader can do something about it."""
    base = config.current().public_url
    if notice.lesson_id is not None:
        return f"{base}/lessons/{notice.lesson_id}/edit"
    if notice.course_id is not None:
        return f"{base}/courses/{notice.course_id}/edit"
    return f"{base}/notifications"


def _sender() -> str:
    user = unquote(urlsplit(config.current().mail_url or "").username or "")
    return user if "@" in user else f"lessonadmin@{urlsplit(config.current().public_url).hostname}"


def _deliver(mail: EmailMessage) -> None:
    server = urlsplit(config.current().mail_url or "")
    host = server.hostname or ""
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, server.port or 465, timeout=SMTP_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(host, server.port or 587, timeout=SMTP_SECONDS)
    with connection:
        connection.ehlo()
        if server.scheme == "smtp" and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(mail)
