"""Purchases are given, revoked and restored: what they open, who is told, what stays, and what two at once do."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import buyers, permissions
from lessonadmin.domain.account_life import own_data
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing, Problem
from lessonadmin.domain.lessons import catalog, lessons, purchases
from lessonadmin.domain.models import AuditLog, Lesson, Notification, Purchase, User
from tests.blocked import wait_until_waited_for
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user, signed_in
from tests.pages import page_of, post
from tests.trash import delete_for_good


def act(by: User, do: Callable[[], Any], *, reason: str | None = "Asked by mail") -> Any:
    with transaction(Actor.user(by.id, reason=reason)):
        return do()


def sold(price_cents: int = 900, **columns: Any) -> tuple[Lesson, User, Purchase]:
    lesson = make_playing_lesson(title="Rye", price_cents=price_cents, **columns)
    student = make_user(role="student")
    return lesson, student, make_purchase(lesson, student)


def told(user: User) -> list[tuple[str, str]]:
    rows = select(Notification.kind, Notification.message).where(Notification.user_id == user.id)
    return [(kind, message) for kind, message in db.session.execute(rows.order_by(Notification.id))]


def audited(lesson_id: uuid.UUID) -> list[tuple[str, Any]]:
    rows = select(AuditLog.action, AuditLog.detail).where(AuditLog.target_id == lesson_id)
    return [
        (action, detail)
        for action, detail in db.session.execute(rows.order_by(AuditLog.id))
        if action.startswith("purchase.")
    ]


def has(student: User, lesson: Lesson) -> set[bool]:
    """What every question says that asks whether they have it: with both walls, and with the second one alone."""
    lesson_id = lesson.id
    mine = select(Lesson.id).where(Lesson.id == lesson_id, permissions.bought_by(student))
    with_course = select(Lesson).options(joinedload(Lesson.course)).where(Lesson.id == lesson_id)
    loaded = db.session.scalars(with_course.execution_options(populate_existing=True)).one()
    asked = {
        permissions.may_play(student, lesson),
        lesson_id in permissions.playable_among(student, [lesson]),
        lesson_id in permissions.bought_among(student, [lesson_id]),
        db.session.scalar(mine) is not None,
        catalog.entries(student, [loaded])[0].bought,
        bool(buyers.count(lesson_id)),
        bool(buyers.first_names([lesson_id])),
        bool(buyers.of_many(select(Lesson.id).where(Lesson.id == lesson_id)).students),
    }
    row_access.use(RowAccess(student.id))
    try:
        db.session.expire_all()
        asked.add(db.session.scalar(select(Lesson.id).where(Lesson.id == lesson_id)) is not None)
    finally:
        row_access.use(EVERYTHING)
    return asked


def test_a_revoked_purchase_opens_nothing_and_stays(session: object) -> None:
    lesson, student, purchase = sold(status="draft")
    support = make_user(role="support")
    assert has(student, lesson) == {True}
    act(support, lambda: purchases.revoke(purchase.id), reason="Paid twice")
    assert has(student, lesson) == {False}
    db.session.refresh(purchase)
    kept = (
        purchase.price_cents,
        purchase.revoked_by,
        purchase.revoke_reason,
        purchase.lesson_title,
        purchase.state,
    )
    assert kept == (900, support.id, "Paid twice", "Rye", "revoked")
    assert told(student) == [("lesson_revoked", "Your access to “Rye” was revoked. Reason: Paid twice")]
    ((action, detail),) = audited(lesson.id)
    assert action == "purchase.revoked"
    assert detail == {
        "student": str(student.id), "purchase": str(purchase.id), "price_cents": 900, "reason": "Paid twice",
        "before": {"state": "bought"}, "after": {"state": "revoked"},
    }  # fmt: skip


def test_a_restored_purchase_is_the_one_that_it_was(session: object) -> None:
    lesson, student, purchase = sold(status="draft")
    support = make_user(role="support")
    before = (purchase.id, purchase.price_cents, purchase.created_at)
    act(support, lambda: purchases.revoke(purchase.id))
    revoked_at = purchase.revoked_at
    assert not buyers.bought_after(lesson.id, revoked_at)
    act(support, lambda: purchases.restore(purchase.id))
    assert has(student, lesson) == {True}
    db.session.refresh(purchase)
    assert (purchase.id, purchase.price_cents, purchase.created_at) == before
    assert (purchase.state, purchase.revoke_reason, purchase.lesson_title) == ("bought", None, None)
    assert buyers.bought_after(lesson.id, revoked_at), "a person who counted before counts again"
    assert told(student)[1:] == [("lesson_given", "You have access to “Rye” again.")]
    assert [action for action, _ in audited(lesson.id)] == ["purchase.revoked", "purchase.restored"]
    with pytest.raises(Conflict, match="in force already"):
        act(support, lambda: purchases.restore(purchase.id))


def test_after_a_revocation_it_is_bought_or_given_anew_and_the_old_one_is_not_restored(
    session: object,
) -> None:
    lesson, student, purchase = sold()
    support = make_user(role="support")
    act(support, lambda: purchases.revoke(purchase.id))
    with pytest.raises(Conflict, match="revoked already"):
        act(support, lambda: purchases.revoke(purchase.id))
    again, new = act(student, lambda: purchases.buy(student, lesson.id))
    assert new
    assert again.id != purchase.id
    with pytest.raises(Conflict, match="by a newer purchase"):
        act(support, lambda: purchases.restore(purchase.id))
    assert buyers.count(lesson.id) == 1
    act(support, lambda: purchases.revoke(again.id))
    given = act(support, lambda: purchases.give(lesson.id, student.id))
    assert (given.price_cents, given.state) == (0, "given")


def test_a_given_lesson_plays_also_as_a_draft_and_the_student_is_told_without_the_reason(
    session: object,
) -> None:
    lesson, student = (
        make_playing_lesson(title="Rye", price_cents=900, status="draft"),
        make_user(role="student"),
    )
    admin = make_user(role="admin")
    given = act(admin, lambda: purchases.give(lesson.id, student.id), reason="Won it")
    assert has(student, lesson) == {True}
    assert (given.price_cents, given.given_by, given.give_reason) == (0, admin.id, "Won it")
    assert told(student) == [("lesson_given", "You have been given “Rye”. You can play it at no charge.")]
    ((action, detail),) = audited(lesson.id)
    assert (action, detail["reason"], detail["after"]) == ("purchase.given", "Won it", {"state": "given"})


def test_who_has_it_already_or_needs_none_is_refused_in_words(session: object) -> None:
    lesson, student, _ = sold()
    support, teacher = make_user(role="support"), db.session.get_one(User, lesson.creator_id)
    unready, other = make_lesson(price_cents=900), make_user(role="student")
    deleted = make_user(role="student", deleted_at=lesson.created_at)
    for lesson_id, user, words in (
        (lesson.id, student, "has bought this lesson already"),
        (lesson.id, teacher, "the lesson's instructor"),
        (lesson.id, make_user(role="instructor"), "the account of an instructor"),
        (lesson.id, support, "Staff can play every lesson already"),
        (lesson.id, make_user(role="admin"), "Staff can play every lesson already"),
        (unready.id, other, "no video that plays"),
        (uuid.uuid4(), other, "nothing here"),
        (lesson.id, deleted, "nothing here"),
    ):
        with pytest.raises(Problem) as refusal:
            act(support, lambda lesson_id=lesson_id, user=user: purchases.give(lesson_id, user.id))
        assert words in refusal.value.sentences
    act(support, lambda: purchases.give(lesson.id, other.id))
    with pytest.raises(Conflict, match="was given this lesson already"):
        act(support, lambda: purchases.give(lesson.id, other.id))
    assert buyers.count(lesson.id) == 2


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_only_staff_and_only_with_a_reason(session: object, role: str) -> None:
    lesson, student, purchase = sold()
    other = make_user(role="student")
    doings = (
        lambda: purchases.revoke(purchase.id),
        lambda: purchases.restore(purchase.id),
        lambda: purchases.give(lesson.id, other.id),
    )
    for do in doings:
        with pytest.raises(Forbidden, match="Only support and admins"):
            act(make_user(role=role), do)
        for reason, words in (
            (None, "Write a reason"),
            (" ", "Write a reason"),
            ("x" * 501, "at most 500"),
        ):
            with pytest.raises(Invalid) as refusal:
                act(make_user(role="support"), do, reason=reason)
            assert words in refusal.value.sentences
    with pytest.raises(Missing):
        act(make_user(role="support"), lambda: purchases.revoke(uuid.uuid4()))
    assert told(student) == told(other) == []
    assert has(student, lesson) == {True}


def test_a_lesson_goes_when_its_purchases_are_revoked_and_they_stay_without_it(session: object) -> None:
    lesson, student, purchase = sold()
    teacher, support = db.session.get_one(User, lesson.creator_id), make_user(role="support")
    with pytest.raises(Conflict, match="cannot be deleted"):
        act(teacher, lambda: lessons.delete(teacher, lesson.id))
    act(support, lambda: purchases.revoke(purchase.id), reason="Paid twice")
    delete_for_good(lesson)
    assert db.session.scalar(select(Lesson.id).where(Lesson.id == lesson.id)) is None
    db.session.refresh(purchase)
    kept = (purchase.lesson_id, purchase.title, purchase.price_cents, purchase.owner_id)
    assert kept == (None, "Rye", 900, teacher.id)
    with pytest.raises(Conflict, match="The lesson is deleted"):
        act(support, lambda: purchases.restore(purchase.id))
    (row,) = act(student, lambda: own_data.document(student))["purchases"]
    assert (row["title"], row["lesson_id"], row["revoke_reason"], row["given"]) == (
        "Rye",
        None,
        "Paid twice",
        False,
    )


def test_the_database_keeps_a_purchase_in_force_with_its_lesson_and_of_two_only_one(session: object) -> None:
    lesson, student, purchase = sold()
    for change in (
        {"lesson_id": None},
        {"revoked_at": lesson.created_at},
        {"given_by": student.id},
        {"given_by": student.id, "give_reason": "x"},
    ):
        with pytest.raises(IntegrityError):
            act(student, lambda change=change: db.session.execute(update(Purchase).values(**change)))
    with pytest.raises(IntegrityError, match="uq_purchases_in_force"):
        make_purchase(lesson, student)
    db.session.rollback()
    with pytest.raises(IntegrityError, match="fk_purchases_lesson_id"):
        act(student, lambda: db.session.execute(text("DELETE FROM lessons")))
    act(student, lambda: db.session.execute(update(Purchase).values(owner_id=student.id)))
    db.session.refresh(purchase)
    assert purchase.owner_id == lesson.creator_id


def at_once(
    app: Flask, first: tuple[User, Callable[[], Any]], second: tuple[User, Callable[[], Any]]
) -> list[Any]:
    """The second begins while the first is not committed, and waits for it; what each of them brought."""
    results: list[Any] = [None, None]

    def other() -> None:
        with app.app_context():
            try:
                results[1] = act(*second)
            except Problem as problem:
                results[1] = problem.type

    thread = threading.Thread(target=other)
    with app.app_context():
        with transaction(Actor.user(first[0].id, reason="Asked")) as session:
            results[0] = first[1]()
            session.flush()
            thread.start()
            wait_until_waited_for(session)
        thread.join(10)
    return results


def in_force(lesson: Lesson) -> int:
    return buyers.count(lesson.id)


def test_of_two_who_give_at_once_one_gives_and_the_student_is_told_once(app: Flask) -> None:
    lesson, student = make_playing_lesson(price_cents=900), make_user(role="student")
    one, other = make_user(role="support"), make_user(role="admin")
    give = lambda: purchases.give(lesson.id, student.id)  # noqa: E731 - the same for both
    results = at_once(app, (one, give), (other, give))
    assert results[1] == "has_it_already"
    with app.app_context():
        assert (in_force(lesson), len(told(student)), len(audited(lesson.id))) == (1, 1, 1)


def test_a_purchase_that_is_made_while_another_is_revoked_is_a_new_one(app: Flask) -> None:
    lesson, student, purchase = sold()
    support = make_user(role="support")
    results = at_once(
        app,
        (support, lambda: purchases.revoke(purchase.id)),
        (student, lambda: purchases.buy(student, lesson.id)),
    )
    bought, new = results[1]
    assert new
    assert bought.id != purchase.id
    with app.app_context():
        assert in_force(lesson) == 1


def test_a_gift_waits_for_a_purchase_and_is_not_needed_then(app: Flask) -> None:
    lesson, student, support = make_playing_lesson(price_cents=900), make_user(role="student"), make_user(role="support")  # fmt: skip
    results = at_once(
        app,
        (student, lambda: purchases.buy(student, lesson.id)),
        (support, lambda: purchases.give(lesson.id, student.id)),
    )
    assert results[1] == "has_it_already"
    with app.app_context():
        assert (in_force(lesson), told(student)) == (1, [])


def test_a_lesson_that_is_being_deleted_is_not_given_any_more(app: Flask) -> None:
    lesson, student, support = make_playing_lesson(price_cents=900), make_user(role="student"), make_user(role="support")  # fmt: skip
    teacher = make_user(role="admin")
    results = at_once(
        app,
        (teacher, lambda: lessons.delete(teacher, lesson.id)),
        (support, lambda: purchases.give(lesson.id, student.id)),
    )
    assert results[1] == "not_found"


def test_a_revoked_student_is_refused_a_player_at_once_and_may_buy_again(app: Flask) -> None:
    lesson, student, purchase = sold()
    browser, here = signed_in(student), f"/catalog/{lesson.id}"
    playback = f"/api/lessons/{lesson.id}/playback"
    assert browser.get(playback).status_code == 200
    assert "mux-player" in browser.get(here).text
    with app.app_context():
        act(make_user(role="support"), lambda: purchases.revoke(purchase.id), reason="Paid twice")
    answer = browser.get(playback)
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (403, "purchase_required")
    page = page_of(browser.get(here))
    assert "Buy this lesson" in page.text()
    assert "Purchased" not in page.text()
    assert "Rye" not in page_of(browser.get("/catalog/mine")).text("main")
    (shown,) = browser.get("/api/lessons").get_json()["items"]
    assert shown["video"]["playback_id"] is None
    notices = page_of(browser.get("/notifications"))
    assert "Access to a lesson was revoked: Rye" in notices.text()
    assert "Reason: Paid twice" in notices.text()


def test_a_notice_leads_a_student_to_the_catalogue_as_long_as_it_opens_the_lesson_for_them(
    app: Flask,
) -> None:
    lesson, student = (
        make_playing_lesson(title="Rye", price_cents=900, status="draft"),
        make_user(role="student"),
    )
    with app.app_context():
        given = act(make_user(role="support"), lambda: purchases.give(lesson.id, student.id))
    browser = signed_in(student)

    def opens() -> str | None:
        notice_id = uuid.UUID(next(one["id"] for one in page_of(browser.get("/notifications")).all("li") if (one.get("id") or "").startswith("notice-"))[7:])  # type: ignore[index]  # fmt: skip
        return post(browser, f"/notifications/{notice_id}/open").headers["Location"]

    assert opens() == f"/catalog/{lesson.id}"
    with app.app_context():
        act(make_user(role="support"), lambda: purchases.revoke(given.id))
    assert opens() == "/notifications"
    assert browser.get(f"/catalog/{lesson.id}").status_code == 404
