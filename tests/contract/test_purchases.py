"""Support gives, revokes and restores purchases: what each person sees of it over HTTP, from the press to the deleted lesson."""

from tests.contract.callers import Answer, Browser, Caller
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson


def press(support: Browser, action: str, *form: tuple[str, str]) -> Answer:
    answer = support.post(f"/admin/purchase/{action}", list(form)).expect(302)
    return support.get(answer.headers["Location"]).expect(200)


def bought(stack: Stack, student: Caller, lesson_id: str) -> str:
    return str(student.post(f"/api/lessons/{lesson_id}/purchase").expect(201).json["id"])


def test_support_revokes_a_purchase_and_the_instructor_deletes_the_lesson(
    stack: Stack, instructor: Caller, student: Caller
) -> None:
    lesson_id, _ = ready_lesson(stack, instructor, title="Rye", price_cents=1234)
    purchase_id = bought(stack, student, lesson_id)
    students, teachers, supports = (stack.browser(role) for role in ("student", "instructor", "support"))
    editor, watched = f"/lessons/{lesson_id}/edit", f"/catalog/{lesson_id}"
    assert "1 student bought this lesson, so it cannot be deleted" in teachers.get(editor).text
    assert "mux-player" in students.get(watched).expect(200).text
    instructor.delete(f"/api/lessons/{lesson_id}").expect(409)
    dialog = supports.get(f"/admin/purchase/details/?id={purchase_id}").expect(200).text
    assert "The student is notified, with the reason that you write." in dialog
    said = press(supports, "revoke", ("id", purchase_id), ("reason", "Paid twice")).text
    assert "The purchase is revoked, and the student is notified." in said
    # the student
    assert student.get(f"/api/lessons/{lesson_id}/playback").expect(403).error == "purchase_required"
    assert student.seen(lesson_id)["video"]["playback_id"] is None
    page = students.get(watched).expect(200).text
    assert "Buy this lesson" in page
    assert "mux-player" not in page
    assert "Your access to “Rye” was revoked. Reason: Paid twice" in students.get("/notifications").text
    # the instructor
    assert "so it cannot be deleted" not in teachers.get(editor).text
    instructor.delete(f"/api/lessons/{lesson_id}").expect(204)
    stack.sql("UPDATE lessons SET deleted_at = now() - interval '31 days' WHERE id = %s", lesson_id)
    stack.until(lambda: not stack.sql("SELECT 1 FROM lessons WHERE id = %s", lesson_id))
    row = stack.one("SELECT * FROM purchases WHERE id = %s", purchase_id)
    assert (row["lesson_id"], row["lesson_title"], row["price_cents"]) == (None, "Rye", 1234)
    assert (str(row["owner_id"]), row["revoke_reason"]) == (instructor.id, "Paid twice")
    kept = supports.get(f"/admin/purchase/details/?id={purchase_id}").expect(200).text
    assert "its lesson is deleted" in kept
    assert "Restore…" not in kept
    assert "Rye" in supports.get("/admin/purchase/?view=revoked").expect(200).text
    assert "purchase.revoked" in stack.actions(lesson_id)


def test_a_purchase_is_restored_and_a_lesson_is_given(
    stack: Stack, instructor: Caller, student: Caller
) -> None:
    lesson_id, _ = ready_lesson(stack, instructor, title="Rye", price_cents=1234)
    purchase_id = bought(stack, student, lesson_id)
    before = stack.one("SELECT price_cents, created_at FROM purchases WHERE id = %s", purchase_id)
    supports, playback = stack.browser("support"), f"/api/lessons/{lesson_id}/playback"
    press(supports, "revoke", ("id", purchase_id), ("reason", "A mistake"))
    student.get(playback).expect(403)
    press(supports, "restore", ("id", purchase_id), ("reason", "It was none"))
    student.get(playback).expect(200)
    assert stack.one("SELECT price_cents, created_at FROM purchases WHERE id = %s", purchase_id) == before
    press(supports, "revoke", ("id", purchase_id), ("reason", "Will be given"))
    gift = (("lesson", lesson_id), ("email", student.email), ("reason", "Raffle"))
    assert "The lesson is given" in press(supports, "give", *gift).text
    assert "was given this lesson already" in press(supports, "give", *gift).text
    student.get(playback).expect(200)
    told = stack.browser("student").get("/notifications").text
    assert "You have been given “Rye”. You can play it at no charge." in told
    assert "Raffle" not in told
    rows = stack.sql(
        "SELECT price_cents FROM purchases WHERE lesson_id = %s AND revoked_at IS NULL", lesson_id
    )
    assert [row["price_cents"] for row in rows] == [0]
    actions = [one for one in stack.actions(lesson_id) if one.startswith("purchase.")]
    assert actions == [
        "purchase.made",
        "purchase.revoked",
        "purchase.restored",
        "purchase.revoked",
        "purchase.given",
    ]


def test_support_gives_and_revokes_over_the_api(
    stack: Stack, instructor: Caller, student: Caller, support: Caller
) -> None:
    lesson_id, _ = ready_lesson(stack, instructor, title="Rye", price_cents=1234)
    other_id = instructor.lesson()["id"]
    address, playback = f"/api/lessons/{lesson_id}/purchases", f"/api/lessons/{lesson_id}/playback"
    gift = {"user_id": student.id, "reason": "Won in a raffle"}
    for person in (student, instructor):
        person.post(address, gift).expect(403)
    assert support.post(address, {"user_id": student.id}).expect(400).json["error"]["fields"].keys() == {
        "reason"
    }
    given = support.post(address, gift).expect(201).json
    assert (given["lesson_id"], given["user_id"], given["price_cents"]) == (lesson_id, student.id, 0)
    student.get(playback).expect(200)
    assert support.post(address, gift).expect(409).error == "has_it_already"
    support.delete(f"/api/lessons/{other_id}/purchases/{given['id']}").expect(404)
    student.delete(f"{address}/{given['id']}").expect(403)
    support.delete(f"{address}/{given['id']}?reason=Paid+twice").expect(204)
    student.get(playback).expect(403)
    assert support.delete(f"{address}/{given['id']}").expect(409).error == "already_revoked"
    said = stack.browser("student").get("/notifications").text
    assert "Your access to “Rye” was revoked. Reason: Paid twice" in said
    assert stack.actions(lesson_id)[-2:] == ["purchase.given", "purchase.revoked"]
