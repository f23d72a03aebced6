"""The connection to the mail server, through a real socket: what is said in the clear, and which failure is which."""

import socket
import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext
from lessonadmin.domain.notifications import delivery, smtp
from tests.certificates import self_signed
from tests.domain.notifications.support import make_due, row, tell
from tests.factories import make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


WITH_PASSWORD = "PLAIN AHVAc2Nob29sLmV4YW1wbGUAcC93"  # \0u@school.example\0p/w


def with_user(box: Postbox, scheme: str = "smtp", password: str = "p%2Fw") -> str:  # noqa: S107 - the box knows no other
    return f"{scheme}://u%40school.example:{password}@127.0.0.1:{box.port}"


@pytest.fixture
def safe_box(box: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Postbox:
    """The mail server offers TLS, and this machine trusts its certificate."""
    certificate = self_signed("127.0.0.1", tmp_path)
    box.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    box.tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return box


def test_a_server_with_a_password_is_told_it_over_tls(safe_box: Postbox) -> None:
    safe_box.password = WITH_PASSWORD
    with overridden(mail_url=with_user(safe_box)):
        tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 1
    assert safe_box.received[0].mail["From"] == "Lessonadmin <u@school.example>"
    assert safe_box.words[:3] == ["EHLO", "STARTTLS", "EHLO"]
    with overridden(mail_url=with_user(safe_box, password="wrong")):
        notice_id = tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 0
    error = row(notice_id).mail_error or ""
    assert "535" in error
    assert "wrong" not in error


def test_no_password_and_no_mail_goes_to_a_server_that_does_not_offer_tls(box: Postbox) -> None:
    box.password = WITH_PASSWORD
    with overridden(mail_url=with_user(box)):
        notice_id = tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 0
        (line,) = host_checks.mail(DoctorContext(db.engine, config.current()))
    assert set(box.words) <= {"EHLO", "QUIT"}
    assert (row(notice_id).mail_wanted, row(notice_id).mailed_at) == (True, None), "it waits"
    assert smtp.NO_TLS in (row(notice_id).mail_error or "")
    assert (line.level, line.says) == ("FAIL", f"Mail cannot be sent: {smtp.NO_TLS}.")


def test_of_the_test_a_server_of_this_machine_without_a_user_needs_no_tls(box: Postbox) -> None:
    notice_id = tell(make_user(), kind="lesson_published")
    assert delivery.send_due() == 1
    assert row(notice_id).mailed_at is not None
    assert "MAIL" in box.words
    (line,) = host_checks.mail(DoctorContext(db.engine, config.current()))
    assert line.level == "ok"


@pytest.mark.parametrize("name", ["mail.test", "localhost.mail.test", "127.0.0.1.mail.test"])
def test_another_machine_is_sent_nothing_in_the_clear_unless_the_setting_says_so(
    box: Postbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    reached = socket.getaddrinfo
    here = lambda host, *more, **named: reached("127.0.0.1" if host == name else host, *more, **named)  # noqa: E731 - one line, used once below
    monkeypatch.setattr(socket, "getaddrinfo", here)
    notice_id = tell(make_user(), kind="lesson_published")
    with overridden(mail_url=f"smtp://{name}:{box.port}"):
        assert delivery.send_due() == 0
    assert set(box.words) <= {"EHLO", "QUIT"}
    make_due()
    with overridden(mail_url=f"smtp+insecure://{name}:{box.port}"):
        assert delivery.send_due() == 1, "the setting that says so is obeyed"
        (line,) = host_checks.mail(DoctorContext(db.engine, config.current()))
    assert row(notice_id).mailed_at is not None
    assert line.level == "warn"


def test_a_certificate_that_is_not_trusted_is_no_tls(
    safe_box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    safe_box.password = WITH_PASSWORD
    with overridden(mail_url=with_user(safe_box)):
        notice_id = tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 0
    assert set(safe_box.words) == {"EHLO", "STARTTLS"}
    assert "CERTIFICATE_VERIFY_FAILED" in (row(notice_id).mail_error or "")


def mail_to(address: str, subject: str = "Hello") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "lessonadmin@school.example", address
    mail.set_content("Something happened.")
    return mail


def send(address: str) -> None:
    with smtp.SmtpConnection() as connection:
        connection.send(mail_to("somewhere.else@school.example"), address)


def test_the_mails_of_one_pass_share_a_connection_that_is_closed_after_it(box: Postbox) -> None:
    with smtp.SmtpConnection() as connection:
        assert box.connections == 0, "it is opened by the first mail"
        for _ in range(3):
            connection.send(mail_to("a@school.example"), "a@school.example")
    assert (len(box.received), box.connections, box.words[-1]) == (3, 1, "QUIT")


def test_a_mail_goes_to_the_address_that_is_given_whatever_its_headers_say(box: Postbox) -> None:
    send("a@school.example")
    assert [one.to for one in box.received] == [["a@school.example"]]


@pytest.mark.parametrize(
    ("answer", "for_good"), [("550 no such user", True), ("501 bad syntax", True), ("451 greylisted", False)]
)
def test_an_address_is_refused_for_good_or_for_now(box: Postbox, answer: str, for_good: bool) -> None:
    box.refuses["a@school.example"] = answer
    with pytest.raises(smtp.Refused, match=answer[:3]) as refused:
        send("a@school.example")
    assert refused.value.for_good is for_good


def test_an_address_that_this_server_cannot_write_is_refused_for_good(box: Postbox) -> None:
    with pytest.raises(smtp.Refused) as refused:
        send("né@school.example")
    assert refused.value.for_good
    assert box.received == []


def test_after_a_mail_whose_end_is_not_known_the_next_one_has_a_connection_of_its_own(box: Postbox) -> None:
    box.after_data = "452 no space"
    with smtp.SmtpConnection() as connection:
        with pytest.raises(smtp.Refused, match="452") as refused:
            connection.send(mail_to("a@school.example"), "a@school.example")
        assert not refused.value.for_good
        box.after_data = "250 taken"
        connection.send(mail_to("a@school.example"), "a@school.example")
    assert (len(box.received), box.connections) == (1, 2)


def test_a_server_that_greets_with_an_error_is_away(box: Postbox) -> None:
    box.greeting = "421 too busy"
    with pytest.raises(smtp.Away, match="421"):
        send("a@school.example")


def test_a_trial_says_how_the_connection_is_kept_safe(safe_box: Postbox) -> None:
    assert smtp.knock() == "TLSv1.3"
    with overridden(mail_url=safe_box.url.replace("smtp", "smtp+insecure")):
        assert smtp.knock() == ""
    assert safe_box.received == []


def test_smtps_is_safe_from_the_first_byte(safe_box: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    safe_box.tls_at_once, safe_box.password = True, WITH_PASSWORD
    with overridden(mail_url=with_user(safe_box, "smtps")):
        assert smtp.knock() == "TLSv1.3"
        assert safe_box.words == ["EHLO", "AUTH", "QUIT"]
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(smtp.Away, match="CERTIFICATE_VERIFY_FAILED"):
            smtp.knock()
    assert safe_box.logins == [WITH_PASSWORD]


def test_a_trial_fails_where_the_login_is_refused(safe_box: Postbox) -> None:
    safe_box.password = WITH_PASSWORD
    with overridden(mail_url=with_user(safe_box, password="wrong")), pytest.raises(smtp.Away, match="535"):
        smtp.knock()
