"""Notices by mail, through a real socket: sent once, never lost, bundled by cause, and safe from other people's words."""

import socket
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import JOB, db, later, transaction
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.health.doctor import host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext
from lessonadmin.domain.models import Notification, User
from lessonadmin.domain.models.notifications import NOTICE_KINDS
from lessonadmin.domain.notifications import delivery, mail_text, smtp
from lessonadmin.domain.videos import wording
from lessonadmin.jobs import notices as jobs
from tests import postbox
from tests.certificates import self_signed
from tests.factories import make_course, make_lesson, make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
PUBLIC_URL = "https://lessons.school.example"


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox.running() as running, overridden(mail_url=running.url, public_url=PUBLIC_URL):
        yield running


def tell(user: User, *, title: str = "Wet in wet", kind: str = "video_failed", **columns: Any) -> uuid.UUID:
    """A notice about a lesson of this person's, written as the product writes it."""
    lesson = make_lesson(creator=user, title=title)
    with transaction(JOB):
        audit_log.notify_user(
            kind, user.id, f"The video of “{title}” failed.", lesson_id=lesson.id, **columns
        )
    return db.session.scalars(select(Notification.id).where(Notification.lesson_id == lesson.id)).one()


def row(notice_id: uuid.UUID) -> Notification:
    db.session.rollback()
    return db.session.get_one(Notification, notice_id, populate_existing=True)


def seconds_to_wait(notice_id: uuid.UUID) -> float:
    waits = func.extract("epoch", Notification.mail_due_at - func.clock_timestamp())
    return float(db.session.scalars(select(waits).where(Notification.id == notice_id)).one())


def make_due() -> None:
    """Time passes until every waiting mail is due."""
    db.session.execute(update(Notification).values(mail_due_at=later(-1)))
    db.session.commit()


def time_passes(seconds: int) -> None:
    """Everything that is written down happened so much longer ago."""
    past = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    db.session.execute(
        update(Notification).values(
            mail_due_at=Notification.mail_due_at - past,
            mailed_at=Notification.mailed_at - past,
            created_at=Notification.created_at - past,
        )
    )
    db.session.commit()


def test_a_notice_leaves_once(box: Postbox) -> None:
    user = make_user()
    notice_id = tell(user, kind="lesson_published")
    jobs.send_mail(str(notice_id))
    (mail,) = box.received
    assert mail.to == [user.email]
    assert mail.mail["To"] == user.email
    assert mail.mail["Subject"] == "Your lesson is published: Wet in wet"
    assert mail.mail["From"] == "Lessonadmin <lessonadmin@lessons.school.example>"
    assert mail.mail["Message-ID"] == f"<{notice_id}@lessons.school.example>"
    assert mail.mail["Auto-Submitted"] == "auto-generated"
    assert f"{PUBLIC_URL}/lessons/{row(notice_id).lesson_id}/edit" in mail.text
    assert f"{PUBLIC_URL}/account" in mail.text
    assert row(notice_id).mailed_at is not None
    jobs.send_mail(str(notice_id))
    make_due()
    assert delivery.send_due() == 0
    assert len(box.received) == 1


def test_a_course_and_an_alarm_lead_to_their_own_pages(box: Postbox) -> None:
    course = make_course()
    with transaction(JOB):
        audit_log.notify("video_ready", course, "The video is ready.")
        audit_log.notify_user("alarm", make_user(role="support").id, "The clock stands still.")
    assert delivery.send_due() == 2
    texts = {one.mail["Subject"]: one.text for one in box.received}
    assert f"{PUBLIC_URL}/courses/{course.id}/edit" in texts[f"Your video is ready: {course.title}"]
    assert f"{PUBLIC_URL}/admin/" in texts["Lessonadmin needs attention"]


def test_a_server_that_is_away_loses_nothing_and_is_asked_less_and_less(box: Postbox) -> None:
    notice_id = tell(make_user())
    pauses = []
    with overridden(mail_url="smtp://127.0.0.1:1"):
        for _ in range(11):
            make_due()
            assert delivery.send_due() == 0
            pauses.append(round(seconds_to_wait(notice_id) / 60))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    waiting = row(notice_id)
    assert waiting.mail_wanted
    assert waiting.mailed_at is None
    assert "ConnectionRefusedError" in (waiting.mail_error or "")
    assert delivery.send_due() == 0, "not before it is due"
    make_due()
    assert delivery.send_due() == 1
    assert len(box.received) == 1
    assert row(notice_id).mail_error is None


def test_of_many_mails_only_one_knocks_at_a_server_that_is_away(box: Postbox) -> None:
    box.greeting = "421 too busy"
    ids = [tell(make_user(), kind="lesson_published") for _ in range(5)]
    assert delivery.send_due() == 0
    assert box.connections == 1
    assert all(seconds_to_wait(notice_id) > 30 for notice_id in ids)
    box.greeting = "220 postbox"
    make_due()
    assert delivery.send_due() == 5
    assert box.connections == 2, "one line for all of them"


def test_after_days_a_mail_is_given_up_and_the_notice_stays(box: Postbox) -> None:
    notice_id = tell(make_user())
    with overridden(mail_url="smtp://127.0.0.1:1"):
        time_passes(delivery.GIVE_UP_SECONDS - 60)
        delivery.send_due()
        assert row(notice_id).mail_wanted
        time_passes(120)
        delivery.send_due()
    assert not row(notice_id).mail_wanted
    make_due()
    assert delivery.send_due() == 0
    assert row(notice_id).read_at is None


def test_a_mail_that_is_refused_for_now_waits_and_lets_the_others_pass(box: Postbox) -> None:
    unlucky, lucky = make_user(), make_user()
    first, second = tell(unlucky, kind="lesson_published"), tell(lucky, kind="lesson_published")
    box.refuses[unlucky.email] = "451 greylisted"
    assert delivery.send_due() == 1
    assert box.received[0].to == [lucky.email]
    assert row(second).mailed_at is not None
    assert row(first).mail_wanted
    assert "451" in (row(first).mail_error or "")
    box.refuses.clear()
    make_due()
    assert delivery.send_due() == 1


def test_an_address_that_does_not_exist_is_not_tried_again(box: Postbox) -> None:
    user = make_user()
    notice_id = tell(user, kind="lesson_published")
    box.refuses[user.email] = "550 no such person"
    assert delivery.send_due() == 0
    assert not row(notice_id).mail_wanted
    assert "550" in (row(notice_id).mail_error or "")


def test_a_line_that_breaks_after_the_mail_sends_it_again_under_the_same_id(box: Postbox) -> None:
    box.hangs_up, box.after_data = True, "451 never said"
    tell(make_user(), cause="asset_errored")
    make_due()
    assert delivery.send_due() == 0
    box.hangs_up, box.after_data = False, "250 taken"
    user = db.session.scalars(select(User)).one()
    tell(user, cause="asset_errored")
    make_due()
    assert delivery.send_due() == 2
    once, again = box.received
    assert once.mail["Message-ID"] == again.mail["Message-ID"]


def test_two_workers_do_not_send_the_same_notice(box: Postbox, session: Session) -> None:
    tell(make_user(), kind="lesson_published")
    due = delivery._due()
    claimed = delivery._claim([one.id for one in db.session.execute(due)], [])
    assert len(claimed) == 1
    assert delivery.send_due() == 0
    assert delivery._claim(claimed, []) == []
    time_passes(delivery.LEASE_SECONDS + 1)
    assert delivery.send_due() == 1, "a worker that was killed leaves nothing undone"


def test_many_failures_of_one_cause_leave_as_one_digest(box: Postbox) -> None:
    user, other = make_user(), make_user()
    ids = [tell(user, title=f"Lesson {n:02}", cause="asset_errored") for n in range(60)]
    tell(user, cause="upload_timed_out")
    tell(other, cause="asset_errored")
    assert delivery.send_due() == 0, "it waits a moment for more of the same"
    assert 30 < seconds_to_wait(ids[0]) <= audit_log.DIGEST_SECONDS
    time_passes(audit_log.DIGEST_SECONDS)
    assert delivery.send_due() == 62
    assert sorted(box.subjects) == [
        "60 videos failed",
        "A video failed: Wet in wet",
        "A video failed: Wet in wet",
    ]
    digest = next(one for one in box.received if one.mail["Subject"].startswith("60"))
    assert "Lesson 00" in digest.text
    assert "Lesson 49" in digest.text
    assert "Lesson 50" not in digest.text
    assert f"And 10 more:\n{PUBLIC_URL}/notifications" in digest.text
    assert digest.mail["Message-ID"] == f"<{min(ids)}@lessons.school.example>"


def test_what_comes_a_moment_after_the_first_travels_with_it(box: Postbox) -> None:
    user = make_user()
    first = tell(user, cause="asset_errored")
    time_passes(audit_log.DIGEST_SECONDS)
    tell(user, cause="asset_errored")
    jobs.send_mail(str(first))
    assert box.subjects == ["2 videos failed"]


def test_the_next_mail_about_the_same_cause_waits_for_half_an_hour(box: Postbox) -> None:
    user = make_user()
    tell(user, cause="asset_errored")
    time_passes(audit_log.DIGEST_SECONDS)
    assert delivery.send_due() == 1
    for _ in range(3):
        tell(user, cause="asset_errored")
    time_passes(audit_log.DIGEST_SECONDS)
    assert delivery.send_due() == 0
    assert delivery.send_due() == 0
    time_passes(delivery.QUIET_SECONDS)
    assert delivery.send_due() == 3
    assert box.subjects == ["A video failed: Wet in wet", "3 videos failed"]


@pytest.mark.parametrize("column", ["mail_notices", "active"])
def test_who_wants_no_mail_or_has_left_gets_none(box: Postbox, column: str) -> None:
    notice_id = tell(make_user(**{column: False}))
    make_due()
    assert delivery.send_due() == 0
    assert box.connections == 0
    assert not row(notice_id).mail_wanted
    assert row(notice_id).read_at is None


def test_without_a_mail_server_nothing_waits_for_one(box: Postbox) -> None:
    with overridden(mail_url=None):
        notice_id = tell(make_user())
        assert not row(notice_id).mail_wanted
        assert delivery.send_due() == 0
    make_due()
    assert delivery.send_due() == 0, "a mail server that is set up later is not flooded with old notices"


HOSTILE = [
    "Hello\r\nBcc: everybody@school.example\r\n\r\nBuy this",
    "Hello\nBcc: everybody@school.example",
    "Hello\rBcc: everybody@school.example",
    "Hello\u2028Bcc: everybody@school.example",
    "Hello\x85Bcc: x\x0bBcc: y\x1cBcc: z",
    "=?utf-8?q?Bcc:=0D=0A?=",
    "\u202egnp.exe 😀 “quoted” <tag>",
    ".\r\n.\r\nQUIT",
    "x" * 200,
]


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_gets_out_of_its_line(box: Postbox, title: str) -> None:
    user = make_user()
    tell(user, title=title)
    make_due()
    assert delivery.send_due() == 1
    (mail,) = box.received
    names = [name.lower() for name in mail.mail]
    assert sorted(names) == sorted(
        ["subject", "to", "from", "date", "message-id", "auto-submitted", "mime-version", "content-type",
         "content-transfer-encoding"]
    )  # fmt: skip
    assert mail.to == [user.email]
    assert mail.mail["Subject"].startswith("A video failed: ")
    assert len(mail.mail["Subject"]) < 100
    assert mail.text.rstrip().endswith(f"{PUBLIC_URL}/account")
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    "address", ["a,b@school.example", 'quo"te@school.example', "semi;colon@school.example"]
)
def test_an_odd_address_stays_one_address(box: Postbox, address: str) -> None:
    tell(make_user(email=address))
    make_due()
    assert delivery.send_due() == 1
    (mail,) = box.received
    assert len(mail.mail["To"].addresses) == 1
    assert mail.mail["To"].addresses[0].username == address.partition("@")[0]
    assert len(mail.to) == 1


@pytest.mark.parametrize("address", ["né@school.example", "x@", "=?utf-8?q?x=0D=0ABcc:y?=@school.example"])
def test_an_address_that_no_mail_can_reach_holds_up_nobody(box: Postbox, address: str) -> None:
    lost = tell(make_user(email=address))
    reached = tell(make_user())
    make_due()
    assert delivery.send_due() == 1
    assert row(reached).mailed_at is not None
    assert not row(lost).mail_wanted
    assert row(lost).mail_error


WITH_PASSWORD = "PLAIN AHVAc2Nob29sLmV4YW1wbGUAcC93"  # \0u@school.example\0p/w


def with_user(box: Postbox, scheme: str = "smtp", password: str = "p%2Fw") -> str:  # noqa: S107 - the box knows no other
    return f"{scheme}://u%40school.example:{password}@127.0.0.1:{box.port}"


@pytest.fixture
def safe(box: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Postbox:
    """The mail server offers TLS, and this machine trusts its certificate."""
    certificate = self_signed("127.0.0.1", tmp_path)
    box.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    box.tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return box


def test_a_server_with_a_password_is_told_it_over_tls(safe: Postbox) -> None:
    safe.password = WITH_PASSWORD
    with overridden(mail_url=with_user(safe)):
        tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 1
    assert safe.received[0].mail["From"] == "Lessonadmin <u@school.example>"
    assert safe.words[:3] == ["EHLO", "STARTTLS", "EHLO"]
    with overridden(mail_url=with_user(safe, password="wrong")):
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
    assert (line.level, line.says) == ("FAIL", f"No mail leaves: {smtp.NO_TLS}.")


def test_of_the_test_a_server_of_this_machine_without_a_user_needs_no_tls(box: Postbox) -> None:
    notice_id = tell(make_user(), kind="lesson_published")
    assert delivery.send_due() == 1
    assert row(notice_id).mailed_at is not None
    assert "MAIL" in box.words
    (line,) = host_checks.mail(DoctorContext(db.engine, config.current()))
    assert line.level == "ok"


def test_another_machine_is_sent_nothing_in_the_clear(box: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = socket.getaddrinfo
    here = lambda host, *more, **named: reached("127.0.0.1" if host == "mail.test" else host, *more, **named)  # noqa: E731 - one line, used once below
    monkeypatch.setattr(socket, "getaddrinfo", here)
    notice_id = tell(make_user(), kind="lesson_published")
    with overridden(mail_url=f"smtp://mail.test:{box.port}"):
        assert delivery.send_due() == 0
    assert set(box.words) <= {"EHLO", "QUIT"}
    make_due()
    with overridden(mail_url=f"smtp+insecure://mail.test:{box.port}"):
        assert delivery.send_due() == 1, "who insists is not kept from it"
        (line,) = host_checks.mail(DoctorContext(db.engine, config.current()))
    assert row(notice_id).mailed_at is not None
    assert line.level == "warn"


def test_a_certificate_that_nobody_vouches_for_is_no_tls(
    safe: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    safe.password = WITH_PASSWORD
    with overridden(mail_url=with_user(safe)):
        notice_id = tell(make_user(), kind="lesson_published")
        assert delivery.send_due() == 0
    assert set(safe.words) == {"EHLO", "STARTTLS"}
    assert "CERTIFICATE_VERIFY_FAILED" in (row(notice_id).mail_error or "")


def test_a_slow_server_does_not_hold_up_a_pass_for_ever(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [tell(make_user(), kind="lesson_published") for _ in range(3)]
    monkeypatch.setattr(delivery, "PASS_SECONDS", -1)
    assert delivery.send_due() == 0
    assert [row(notice_id).mail_attempts for notice_id in ids] == [0, 0, 0]
    monkeypatch.undo()
    assert delivery.send_due() == 3, "they are due at once"


def test_the_words_of_every_kind() -> None:
    told = mail_text.Notice(
        id=uuid.uuid4(), user_id=uuid.uuid4(), kind="of tomorrow", message="Something.", cause=None,
        lesson_id=None, course_id=None,
    )  # fmt: skip
    mail = mail_text.write("who@school.example", [told])
    assert mail["Subject"] == "News from Lessonadmin"
    assert "/notifications" in mail.get_content()
    assert set(wording.HEADLINES) == set(NOTICE_KINDS)


def test_what_happens_to_the_account_is_mailed_to_everybody_also_to_the_disabled(box: Postbox) -> None:
    user = make_user(active=False, mail_notices=False)
    about_a_video = tell(user)
    with transaction(JOB):
        account_notices.state_changed(user)
    make_due()
    assert delivery.send_due() == 1
    (mail,) = [one.mail for one in box.received]
    assert mail["Subject"] == "Your account was changed"
    assert "An administrator disabled your account." in mail.get_content()
    assert f"{PUBLIC_URL}/account" in mail.get_content()
    assert "To stop these mails" not in mail.get_content()
    assert row(about_a_video).mailed_at is None
