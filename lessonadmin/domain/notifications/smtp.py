"""The connection to the mail server: opened when the first mail leaves, shared by the mails of one pass, closed after it.

Two failures are told apart: the server is away (no other mail needs to be tried now), and this one mail was refused.
A server that does not offer TLS, or whose certificate is not trusted, counts as away: a password, and a mail that
leaves this machine, never travel in the clear, unless the setting says `smtp+insecure://`, which takes no password.
"""

import contextlib
import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from types import TracebackType
from urllib.parse import SplitResult, unquote, urlsplit

from lessonadmin import config
from lessonadmin.observability import traces
from lessonadmin.text.texts import plain

SECONDS = 10
NO_TLS = "the mail server does not offer TLS (STARTTLS), so no password and no mail was sent"


class Away(Exception):
    """The mail server does not answer or refuses the login."""


class Refused(Exception):
    """This mail was not taken; `for_good` says that asking again would not help."""

    def __init__(self, message: str, *, for_good: bool) -> None:
        super().__init__(message)
        self.for_good = for_good


class SmtpConnection:
    """`with SmtpConnection() as connection: connection.send(mail, to)`"""

    def __init__(self) -> None:
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> "SmtpConnection":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._hang_up()

    def send(self, mail: EmailMessage, to: str) -> None:
        """Hand one mail over, to this one address whatever its headers say."""
        connection = self._connection or self._open()
        try:
            connection.send_message(mail, to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise Refused(_told(error), for_good=all(code >= 500 for code in codes)) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise Refused(_told(error), for_good=True) from error
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()  # its state is unknown: the next mail starts on a new connection
            raise Refused(_told(error), for_good=False) from error

    def _open(self) -> smtplib.SMTP:
        try:
            self._connection = _connect()
        except (OSError, smtplib.SMTPException) as error:
            raise Away(_told(error)) from error
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def knock() -> str:
    """Is the mail server there and does it accept the login? How the connection is kept safe ("" if it is not); raises Away."""
    with SmtpConnection() as connection:
        sock = connection._open().sock
        return sock.version() or "" if isinstance(sock, ssl.SSLSocket) else ""


def _connect() -> smtplib.SMTP:
    server = urlsplit(config.current().mail_url or "")
    host = server.hostname or ""
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, server.port or 465, timeout=SECONDS, context=_trusted()
        )
    else:
        connection = smtplib.SMTP(host, server.port or 587, timeout=SECONDS)
    try:
        connection.ehlo()
        if server.scheme == "smtp":
            _begin_tls(connection, required=_must_be_safe(server))
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_tls(connection: smtplib.SMTP, *, required: bool) -> None:
    """An attacker in between can take the offer out of the server's answer: then nothing more is sent to it."""
    if connection.has_extn("starttls"):
        connection.starttls(context=_trusted())
        connection.ehlo()
    elif required:
        raise Away(NO_TLS)


def _must_be_safe(server: SplitResult) -> bool:
    return bool(server.username) or not _is_this_machine(server.hostname or "")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _told(error: Exception) -> str:
    return plain(traces.with_words(error), max_length=300)
