"""What a mail about notices says. Written from plain values; nothing is sent, stored or asked for here.

Titles are other people's words: they may hold anything, so they enter a header only after they were made one line of
printable text.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from lessonadmin import config
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.models.notifications import MAY_BE_MUTED, TO_STUDENTS
from lessonadmin.domain.videos import wording

MAX_TITLE_LENGTH = 80
# How encoded text begins in a header: it would be decoded there, line ends and all.
ENCODED = "=?"
MAX_IN_FULL = 50


# what students are told -> when that is
WHY = dict.fromkeys(
    ("lesson_given", "lesson_revoked"), "support gives you a lesson or revokes your access"
) | dict.fromkeys(MAY_BE_MUTED, "something changes about your lessons and courses")


class Unwritable(Exception):
    """No mail can be written to this address."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice that leaves by mail, and the title of the lesson or course that it is about. `is_theirs`: it is the
    reader's own; staff are told of others', too."""

    id: uuid.UUID
    user_id: uuid.UUID
    kind: str
    message: str
    cause: str | None
    lesson_id: uuid.UUID | None
    course_id: uuid.UUID | None
    title: str = ""
    is_theirs: bool = True


def write(address: str, bundle: Sequence[Notice]) -> EmailMessage:
    """The mail for one notice, or one digest for several of the same cause; the oldest stands first."""
    # From the notice and not from the moment: a mail that is sent twice is shown once by the reader's program.
    return compose(to=address, subject=_subject(bundle), text=_text(bundle), key=str(bundle[0].id))


def compose(*, to: str, subject: str, text: str, key: str) -> EmailMessage:
    """A mail of Lessonadmin's to one address; `key` is what makes its id."""
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["To"] = _recipient(to)
    mail["From"] = Address("Lessonadmin", addr_spec=_sender())
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{key}@{_host()}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def _subject(bundle: Sequence[Notice]) -> str:
    headline = wording.headline(bundle[0].kind, len(bundle), bundle[0].cause)
    if len(bundle) > 1:
        return headline
    title = one_line(bundle[0].title)
    return f"{headline}: {title}" if title else headline


def one_line(text: str) -> str:
    """A text of a user, fit for a header: one line, printable, not too long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    line = line.replace(ENCODED, "= ?")
    return line if len(line) <= MAX_TITLE_LENGTH else line[: MAX_TITLE_LENGTH - 1].rstrip() + "…"


def _recipient(address: str) -> Address:
    local, _, domain = address.rpartition("@")
    if ENCODED in address or not local or not domain:
        raise Unwritable("no mail can be sent to this address")
    try:
        # in two parts, so that a comma or a quote in an address stays a part of this one address
        return Address(username=local, domain=domain)
    except Exception as error:  # email.headerregistry raises undocumented exceptions for bad addresses
        raise Unwritable(f"no mail can be sent to this address: {type(error).__name__}") from error


def _text(bundle: Sequence[Notice]) -> str:
    shown = bundle[:MAX_IN_FULL]
    parts = [f"{notice.message}\n{link(notice)}" for notice in shown]
    if len(bundle) > 1:
        whose = "of your videos" if bundle[0].is_theirs else "videos"
        opening = f"{len(bundle)} {whose} are affected by the same cause."
        parts.insert(0, f"{opening} {wording.why_many(bundle[0].cause)}".rstrip())
    if len(bundle) > len(shown):
        parts.append(f"And {len(bundle) - len(shown)} more:\n{config.current().public_url}/notifications")
    parts.append(f"-- \n{_why_this_mail(bundle[0].kind)}")
    return "\n\n".join(parts) + "\n"


def _why_this_mail(kind: str) -> str:
    if kind == account_notices.KIND:
        return "You get this mail because your account was changed."
    what = WHY.get(kind, "something happens to your videos")
    return (
        f"Lessonadmin writes to you when {what}.\nTo stop these mails: {config.current().public_url}/account"
    )


def link(notice: Notice) -> str:
    """Where the reader can do something about it."""
    base = config.current().public_url
    if notice.kind in TO_STUDENTS and notice.course_id is not None:
        return f"{base}/catalog/courses/{notice.course_id}"
    if notice.kind in TO_STUDENTS:
        # what was revoked may have left the catalogue
        opens = notice.kind != "lesson_revoked" and notice.lesson_id is not None
        return f"{base}/catalog/{notice.lesson_id}" if opens else f"{base}/notifications"
    if not notice.is_theirs and (notice.lesson_id or notice.course_id):
        kind = "lesson" if notice.lesson_id else "course"
        return f"{base}/admin/{kind}/details/?id={notice.lesson_id or notice.course_id}"
    if notice.lesson_id is not None:
        return f"{base}/lessons/{notice.lesson_id}/edit"
    if notice.course_id is not None:
        return f"{base}/courses/{notice.course_id}/edit"
    if notice.kind == account_notices.KIND:
        return f"{base}/account"
    return f"{base}/admin/" if notice.kind == "alarm" else f"{base}/notifications"


def _host() -> str:
    return urlsplit(config.current().public_url).hostname or "localhost"


def _sender() -> str:
    user = unquote(urlsplit(config.current().mail_url or "").username or "")
    return user if "@" in user else f"lessonadmin@{_host()}"
