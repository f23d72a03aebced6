"""Notices by mail, through a real socket: sent once, never lost, and bundled by cause."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import User
from lessonadmin.domain.notifications import delivery
from lessonadmin.jobs import notices as jobs
from tests.domain.notifications.support import PUBLIC_URL, make_due, row, seconds_to_wait, tell, time_passes
from tests.factories import make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


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


def test_of_many_mails_only_one_asks_a_server_that_is_away(box: Postbox) -> None:
    box.greeting = "421 too busy"
    ids = [tell(make_user(), kind="lesson_published") for _ in range(5)]
    assert delivery.send_due() == 0
    assert box.connections == 1
    assert all(seconds_to_wait(notice_id) > 30 for notice_id in ids)
    box.greeting = "220 postbox"
    make_due()
    assert delivery.send_due() == 5
    assert box.connections == 2, "one connection for all of them"


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
    assert "Lesson 59" not in digest.text, "the oldest are named"
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


@pytest.mark.parametrize("address", ["né@school.example", "x@", "=?utf-8?q?x=0D=0ABcc:y?=@school.example"])
def test_an_address_that_no_mail_can_reach_holds_up_no_other(box: Postbox, address: str) -> None:
    lost = tell(make_user(email=address))
    reached = tell(make_user())
    make_due()
    assert delivery.send_due() == 1
    assert row(reached).mailed_at is not None
    assert not row(lost).mail_wanted
    assert row(lost).mail_error


def test_a_slow_server_does_not_hold_up_a_pass_for_ever(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [tell(make_user(), kind="lesson_published") for _ in range(3)]
    monkeypatch.setattr(delivery, "PASS_SECONDS", -1)
    assert delivery.send_due() == 0
    assert [row(notice_id).mail_attempts for notice_id in ids] == [0, 0, 0]
    monkeypatch.undo()
    assert delivery.send_due() == 3, "they are due at once"


def test_what_happens_to_the_account_is_mailed_also_to_a_disabled_user(box: Postbox) -> None:
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
