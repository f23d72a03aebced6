"""What a mail says, whatever stands in a title or an address: one line of each, one reader, and where to go next."""

import uuid
from email.message import EmailMessage
from typing import Any

import pytest

from lessonadmin.db import JOB, transaction
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models.notifications import NOTICE_KINDS
from lessonadmin.domain.notifications import delivery, mail_text
from lessonadmin.domain.videos import wording
from tests.domain.notifications.support import PUBLIC_URL, make_due, tell
from tests.factories import make_course, make_lesson, make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def test_a_course_and_an_alarm_lead_to_their_own_pages(box: Postbox) -> None:
    course = make_course()
    with transaction(JOB):
        audit_log.notify("video_ready", course, "The video is ready.")
        audit_log.notify_user("alarm", make_user(role="support").id, "The clock stands still.")
    assert delivery.send_due() == 2
    texts = {one.mail["Subject"]: one.text for one in box.received}
    assert f"{PUBLIC_URL}/courses/{course.id}/edit" in texts[f"Your video is ready: {course.title}"]
    assert f"{PUBLIC_URL}/admin/" in texts["Lessonadmin needs attention"]


def test_staff_are_led_to_another_persons_lesson_in_the_panel_and_a_former_owner_is_not(box: Postbox) -> None:
    staff, former = make_user(role="support"), make_user()
    lesson, own = make_lesson(), make_lesson(creator=staff)
    with transaction(JOB):
        for user_id, lesson_id in ((staff.id, lesson.id), (staff.id, own.id), (former.id, lesson.id)):
            audit_log.notify_user("alarm", user_id, f"About {lesson_id}.", lesson_id=lesson_id)
    assert delivery.send_due() == 3
    in_panel, in_editor = f"{PUBLIC_URL}/admin/lesson/details/?id={{}}", f"{PUBLIC_URL}/lessons/{{}}/edit"
    links = {(one.to[0], one.text.splitlines()[0]): one.text.splitlines()[1] for one in box.received}
    assert links == {
        (staff.email, f"About {lesson.id}."): in_panel.format(lesson.id),
        (staff.email, f"About {own.id}."): in_editor.format(own.id),
        (former.email, f"About {lesson.id}."): in_editor.format(lesson.id),
    }


HOSTILE = [
    "Hello\r\nBcc: others@school.example\r\n\r\nBuy this",
    "Hello\nBcc: others@school.example",
    "Hello\rBcc: others@school.example",
    "Hello\u2028Bcc: others@school.example",
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


def notice(kind: str = "video_failed", **columns: Any) -> mail_text.Notice:
    nothing: dict[str, Any] = {"cause": None, "lesson_id": None, "course_id": None}
    told = {"id": uuid.uuid4(), "user_id": uuid.uuid4(), "message": "Something.", **nothing, **columns}
    return mail_text.Notice(kind=kind, **told)


def written(*bundle: mail_text.Notice, address: str = "who@school.example") -> EmailMessage:
    with overridden(public_url=PUBLIC_URL):
        return mail_text.write(address, bundle)


def test_each_kind_has_its_headline_and_one_that_is_not_known_a_general_one() -> None:
    mail = written(notice("of tomorrow"))
    assert mail["Subject"] == "News from Lessonadmin"
    assert f"{PUBLIC_URL}/notifications" in mail.get_content()
    assert set(wording.HEADLINES) == set(NOTICE_KINDS)


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Wet in wet", "Wet in wet"),
        ("  two\t words\r\n", "two words"),
        ("a\x00b\u2028c", "a b c"),
        ("=?utf-8?q?x?=", "= ?utf-8?q?x?="),
        ("=\n?utf-8", "= ?utf-8"),
        ("", ""),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 78 + " yz", "x" * 78 + "…"),
    ],
)
def test_a_title_becomes_one_printable_line_that_is_not_too_long(title: str, line: str) -> None:
    assert mail_text.one_line(title) == line


def test_without_a_title_the_subject_is_the_headline_alone() -> None:
    assert written(notice(title="\r\n"))["Subject"] == "A video failed"


ID, OTHER_ID = uuid.UUID(int=7), uuid.UUID(int=8)


@pytest.mark.parametrize(
    ("told", "page"),
    [
        (notice(lesson_id=ID), f"/lessons/{ID}/edit"),
        (notice(course_id=ID), f"/courses/{ID}/edit"),
        (notice(account_notices.KIND), "/account"),
        (notice("alarm"), "/admin/"),
        (notice("alarm", lesson_id=ID), f"/lessons/{ID}/edit"),
        (notice("lesson_given", lesson_id=ID, is_theirs=True), f"/catalog/{ID}"),
        (notice("lesson_given"), "/notifications"),
        (notice("lesson_revoked", lesson_id=ID), "/notifications"),
        (notice("lesson_new_video", lesson_id=ID), f"/catalog/{ID}"),
        (notice("lesson_withdrawn", lesson_id=ID, is_theirs=False), f"/catalog/{ID}"),
        (notice("course_new_lesson", lesson_id=ID, course_id=OTHER_ID), f"/catalog/courses/{OTHER_ID}"),
        (notice(), "/notifications"),
    ],
)
def test_a_mail_leads_to_where_something_can_be_done(told: mail_text.Notice, page: str) -> None:
    with overridden(public_url=PUBLIC_URL):
        assert mail_text.link(told) == PUBLIC_URL + page


@pytest.mark.parametrize(
    ("count", "rest"), [(2, None), (50, None), (51, "And 1 more:"), (60, "And 10 more:")]
)
def test_a_digest_names_the_first_fifty_and_counts_the_rest(count: int, rest: str | None) -> None:
    bundle = [notice(cause="asset_errored", message=f"Number {n}.") for n in range(count)]
    mail = written(*bundle)
    text = mail.get_content()
    assert mail["Subject"] == f"{count} videos failed"
    assert mail["Message-ID"] == f"<{bundle[0].id}@lessons.school.example>"
    assert text.startswith(
        f"{count} of your videos are affected by the same cause. Mux could not process them."
    )
    assert [n for n in range(count) if f"Number {n}." in text] == list(range(min(count, 50)))
    assert ("more:" in text) is (rest is not None)
    assert (rest or "") in text


def test_a_student_reads_which_lesson_was_given_and_why_the_mail_came(box: Postbox) -> None:
    student, lesson = make_user(role="student"), make_lesson(title="Rye")
    with transaction(JOB):
        audit_log.notify_user("lesson_given", student.id, "You have been given “Rye”.", lesson_id=lesson.id)
        audit_log.notify_user("lesson_revoked", student.id, "It was revoked.", lesson_id=lesson.id)
    assert delivery.send_due() == 2
    texts = {one.mail["Subject"]: one.text for one in box.received}
    assert set(texts) == {"Access to a lesson: Rye", "Access to a lesson was revoked: Rye"}
    given = texts["Access to a lesson: Rye"]
    assert given.startswith(f"You have been given “Rye”.\n{PUBLIC_URL}/catalog/{lesson.id}")
    assert "when support gives you a lesson or revokes your access" in given
    assert all("your videos" not in one for one in texts.values())


@pytest.mark.parametrize(
    ("kind", "stops"), [("video_failed", True), ("alarm", True), (account_notices.KIND, False)]
)
def test_mails_about_the_account_itself_cannot_be_stopped(kind: str, stops: bool) -> None:
    assert ("To stop these mails" in written(notice(kind)).get_content()) is stops


@pytest.mark.parametrize(
    ("mail_url", "sender"),
    [
        (None, "lessonadmin@lessons.school.example"),
        ("smtp://mail.example", "lessonadmin@lessons.school.example"),
        ("smtp://robot:p@mail.example", "lessonadmin@lessons.school.example"),
        ("smtp://robot%40school.example:p@mail.example", "robot@school.example"),
    ],
)
def test_the_sender_is_the_account_at_the_mail_server_if_it_is_an_address(
    mail_url: str | None, sender: str
) -> None:
    with overridden(mail_url=mail_url):
        assert written(notice())["From"].addresses[0].addr_spec == sender


@pytest.mark.parametrize("address", ["x@", "@school.example", "x", "", "=?utf-8?q?x?=@school.example"])
def test_to_an_address_that_no_mail_can_reach_none_is_written(address: str) -> None:
    with pytest.raises(mail_text.Unwritable):
        written(notice(), address=address)
