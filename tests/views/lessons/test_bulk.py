"""Bulk actions of an instructor through their pages: chosen, shown, run once, stopped, undone; and for no one else."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import batches, own_lessons, registry, runner
from lessonadmin.domain.lessons import courses, trash
from lessonadmin.domain.models import Batch, BatchItem, Course, Lesson, User
from tests.factories import make_course, make_playing_lesson, make_purchase, make_user, signed_in
from tests.pages import page_of

BULK = "/lessons/bulk"


@pytest.fixture
def drafts(session: Session, instructor: User) -> list[str]:
    with transaction(CLI):
        return [str(_draft(instructor, title).id) for title in ("Bread", "Rye", "Wheat")]


def _draft(teacher: User, title: str) -> Lesson:
    columns: dict[str, Any] = {"status": "draft", "published_at": None, "publish_on_ready": False}
    return make_playing_lesson(creator=teacher, title=title, **columns)


def sent(browser: FlaskClient, address: str = BULK, **form: Any) -> Any:
    token = page_of(browser.get("/lessons")).csrf
    return browser.post(address, data={"csrf_token": token, **form})


def states() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Lesson.status)))


def begun() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Batch)) or 0


def test_rows_are_ticked_shown_published_and_taken_back(browser: FlaskClient, drafts: list[str]) -> None:
    listed = page_of(browser.get("/lessons"))
    assert {one["value"] for one in listed.all("input", name="rowid")} == set(drafts)
    assert listed.faults() == []
    first = sent(browser, action="publish", rowid=drafts[:2])
    seen = page_of(first)
    assert (first.status_code, seen.text("h1"), seen.faults()) == (200, "Publish 2 lessons", [])
    assert seen.text("tbody").count("Published.") == 2
    assert (states(), begun()) == (["draft"] * 3, 0)
    key = seen.one("input", name="once")["value"]
    run = sent(browser, action="publish", rowid=drafts[:2], once=key)
    assert states() == ["draft", "published", "published"]
    shown = page_of(browser.get(run.location))
    assert (shown.text("h1"), shown.faults()) == ("Publish 2 lessons", [])
    assert "2 lessons done, 0 skipped, 0 failed." in shown.text()
    again = sent(browser, action="publish", rowid=drafts[:2], once=key)
    assert (again.location, begun()) == (run.location, 1)
    undone = sent(browser, f"{run.location}/undo")
    assert states() == ["draft"] * 3
    assert "Undo of “Publish 2 lessons”" in page_of(browser.get(undone.location)).text("h1")
    assert "It was undone." in page_of(browser.get(run.location)).text()
    nothing = sent(browser, f"{undone.location}/undo")
    assert nothing.location == undone.location
    assert "There is nothing here that could be undone." in browser.get(undone.location).text


def test_all_that_match_the_list_are_chosen_and_none_of_another_instructor(
    browser: FlaskClient, drafts: list[str]
) -> None:
    _draft(make_user(), "Bread of another")
    chosen = {"action": "publish", "scope": "filter", "query": "q=bread&state=draft"}
    seen = page_of(sent(browser, **chosen))
    assert seen.text("h1") == "Publish 1 lesson"
    assert seen.one("input", name="query")["value"] == "q=bread&state=draft"
    sent(browser, **chosen, once="1")
    assert states() == ["draft", "draft", "draft", "published"]
    for more in ({}, {"once": "2"}):
        gone = sent(browser, **chosen, **more)
        assert "None of these lessons is there any more" in browser.get(gone.location).text
    assert begun() == 1


def test_a_foreign_lesson_is_skipped_as_one_that_is_not_there(
    browser: FlaskClient, drafts: list[str]
) -> None:
    foreign = _draft(make_user(), "Secret")
    chosen = {"action": "publish", "rowid": [drafts[0], str(foreign.id)]}
    seen = page_of(sent(browser, **chosen))
    assert "1 lesson of your choice is not there any more." in seen.text()
    run = sent(browser, **chosen, once="1")
    shown = browser.get(run.location).text
    assert "Secret" not in seen.html + shown
    assert "A lesson that is not there any more" in shown
    assert states() == ["draft"] * 3 + ["published"]
    for more in ({}, {"once": "2"}):
        gone = sent(browser, action="publish", rowid=str(foreign.id), **more)
        assert "None of these lessons is there any more" in browser.get(gone.location).text
    assert begun() == 1


@pytest.mark.parametrize("query", ["", "state=evil&q=%", "\udcff"[:0], "&&&==", "q=" + "x" * 5000])
def test_an_odd_query_is_read_as_the_list_reads_it(
    browser: FlaskClient, drafts: list[str], query: str
) -> None:
    answer = sent(browser, action="publish", scope="filter", query=query)
    assert answer.status_code in (200, 302)
    assert states() == ["draft"] * 3


def test_what_names_nothing_does_nothing(browser: FlaskClient, drafts: list[str]) -> None:
    for chosen in ({}, {"rowid": "x"}, {"rowid": ""}):
        back = sent(browser, action="publish", once="1", **chosen)
        assert "Select at least one lesson first." in browser.get(back.location).text
    for action in ("", "clear_asset", "recheck", "republish", "restore_publication", "<b>"):
        assert sent(browser, action=action, rowid=drafts, once="1").status_code == 400
    for key in ("", "k" * 65):
        assert sent(browser, action="publish", rowid=drafts, once=key).status_code == 200
    away = sent(browser, action="publish", url="//evil.example")
    assert away.location == "/lessons"
    assert (states(), begun()) == (["draft"] * 3, 0)


def test_many_run_in_the_background_are_stopped_and_go_on(
    browser: FlaskClient, instructor: User, session: Session, redis_connection: Any
) -> None:
    with transaction(CLI):
        for number in range(21):
            _draft(instructor, f"Lesson {number}")
    chosen = {"action": "publish", "scope": "filter", "query": ""}
    assert "in the background" in page_of(sent(browser, **chosen)).text()
    page = sent(browser, **chosen, once="1").location
    assert "Waiting for a worker." in page_of(browser.get(page)).text()
    fragment = browser.get(page, headers={"X-Fragment": "batch"})
    assert 'data-next="1000"' in fragment.text
    refused = sent(browser, f"{page}/undo")
    assert "Stop this bulk action before you undo it." in browser.get(refused.location).text
    sent(browser, f"{page}/stop")
    assert "Stopped with 21 lessons left." in page_of(browser.get(page)).text()
    assert "This batch is not running." in browser.get(sent(browser, f"{page}/stop").location).text
    sent(browser, f"{page}/resume")
    db.session.rollback()
    runner.run_some(uuid.UUID(page.rpartition("/")[2]), seconds=30)
    assert states() == ["published"] * 21
    assert 'data-next=""' in browser.get(page, headers={"X-Fragment": "batch"}).text
    none_failed = sent(browser, f"{page}/retry")
    assert "No row of this batch has failed." in browser.get(none_failed.location).text


def test_a_row_that_failed_is_tried_again(
    browser: FlaskClient, drafts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_lesson_id: uuid.UUID) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr("lessonadmin.domain.batches.actions.publish_lessons.publish", broken)
        page = sent(browser, action="publish", rowid=drafts, once="1").location
    assert "3 failed" in page_of(browser.get(page)).text()
    assert len(page_of(browser.get(f"{page}?rows=failed")).all("tr")) == 4
    sent(browser, f"{page}/retry")
    db.session.rollback()
    runner.run_some(uuid.UUID(page.rpartition("/")[2]), seconds=30)
    assert states() == ["published"] * 3


def test_no_other_instructor_sees_or_changes_it_and_staff_are_led_to_the_panel(
    browser: FlaskClient, drafts: list[str]
) -> None:
    page = sent(browser, action="publish", rowid=drafts, once="1").location
    other = signed_in(make_user())
    assert other.get(page).status_code == 404
    for act in ("undo", "stop", "resume", "retry"):
        assert sent(other, f"{page}/{act}").status_code == 404
    support = signed_in(make_user(role="support"))
    assert support.get(page).location == f"/admin/batch/details/?id={page.rpartition('/')[2]}"
    assert "Publish 3 lessons" in support.get(support.get(page).location).text
    assert page_of(support.get("/lessons")).all("input", name="rowid") == []
    assert sent(support, action="publish", rowid=drafts).status_code == 403
    assert sent(support, f"{page}/undo").status_code == 404
    assert states() == ["published"] * 3


def test_a_bulk_action_of_the_panel_is_no_page_of_its_author(
    browser: FlaskClient, instructor: User, drafts: list[str]
) -> None:
    with transaction(Actor.user(instructor.id)):
        batch = batches.create(registry.find("lesson", "publish"), [uuid.UUID(drafts[0])])
        assert own_lessons.owner_of(batch.options) is None
    assert browser.get(f"{BULK}/{batch.id}").status_code == 404


def test_the_rows_of_a_long_one_are_paged(browser: FlaskClient, instructor: User, session: Session) -> None:
    with transaction(CLI):
        for number in range(51):
            _draft(instructor, f"Lesson {number}")
    page = sent(browser, action="unpublish", scope="filter", query="", once="1").location
    first = page_of(browser.get(page))
    following = next(one["href"] or "" for one in first.all("a") if "after=" in (one.get("href") or ""))
    assert len(page_of(browser.get(following)).all("tr")) == 2
    assert db.session.scalar(select(func.count()).select_from(BatchItem)) == 51


def prices() -> list[int]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Lesson.price_cents)))


def test_a_price_is_asked_for_shown_and_set(browser: FlaskClient, drafts: list[str]) -> None:
    chosen = {"action": "set_price", "rowid": drafts}
    asked = page_of(sent(browser, **chosen))
    assert (asked.text("h1"), asked.faults()) == ("Set the price of 3 lessons", [])
    assert len(asked.all("input", name="rowid")) == 3
    for typed in ("", "x", "1.234", "-5"):
        wrong = sent(browser, **chosen, price=typed, once="1")
        assert wrong.status_code == 400
        assert page_of(wrong).one("input", id="field-price")["value"] == typed
        assert len(page_of(wrong).all("input", name="rowid")) == 3
    seen = page_of(sent(browser, **chosen, price="9,50"))
    assert "New price: EUR 9.50" in seen.text()
    assert (seen.faults(), seen.text("tbody").count("It gets the new price.")) == ([], 3)
    again = page_of(sent(browser, **chosen, price="9,50", again="1", once="1"))
    assert again.one("input", id="field-price")["value"] == "9,50"
    assert (prices(), begun()) == ([0, 0, 0], 0)
    page = sent(browser, **chosen, price="9,50", once="1").location
    assert prices() == [950] * 3
    assert "New price: EUR 9.50" in page_of(browser.get(page)).text()
    undone = browser.get(sent(browser, f"{page}/undo").location)
    assert prices() == [0, 0, 0]
    assert page_of(undone).text("tbody").count("Free") == 3


def test_a_course_is_chosen_and_refused_when_it_went_to_the_trash_meanwhile(
    browser: FlaskClient, course: Course, instructor: User, drafts: list[str]
) -> None:
    foreign = make_course(title="Foreign")
    chosen = {"action": "move", "rowid": drafts}
    asked = page_of(sent(browser, **chosen))
    assert asked.faults() == []
    offered = {one["value"] for one in asked.all("option")}
    assert offered == {"", str(course.id)}
    for wrong in ("x", str(foreign.id)):
        assert sent(browser, **chosen, course_id=wrong, once="1").status_code == 400
    seen = page_of(sent(browser, **chosen, course_id=str(course.id)))
    assert f"Course: {course.title}" in seen.text()
    assert (seen.faults(), seen.text("tbody").count("moved to the end")) == ([], 3)
    with transaction(Actor.user(instructor.id)):
        courses.delete(instructor, course.id)
    late = sent(browser, **chosen, course_id=str(course.id), once="1")
    assert late.status_code == 400
    assert "There is no such course of yours." in page_of(late).text()
    assert begun() == 0
    with transaction(Actor.user(instructor.id)):
        trash.restore(instructor, "course", course.id)
    page = sent(browser, **chosen, course_id=str(course.id), once="1").location
    assert page_of(browser.get(page)).text("tbody").count(course.title) == 3
    sent(browser, f"{page}/undo")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Lesson.course_id == course.id)) == 4


def test_lessons_go_to_the_trash_and_bought_ones_stay(browser: FlaskClient, drafts: list[str]) -> None:
    make_purchase(db.session.get_one(Lesson, uuid.UUID(drafts[0])), make_user(role="student"))
    seen = page_of(sent(browser, action="trash", rowid=drafts))
    assert "Move 2 lessons to the trash" in seen.text("button")
    assert "A student bought it, so it cannot be deleted." in seen.text("tbody")
    page = sent(browser, action="trash", rowid=drafts, once="1").location
    shown = page_of(browser.get(page))
    assert (shown.text("h1"), shown.faults()) == ("Move 3 lessons to the trash", [])
    assert shown.text("tbody").count("In the trash") == 2
    assert len(page_of(browser.get("/lessons")).all("input", name="rowid")) == 1
    sent(browser, f"{page}/undo")
    assert len(page_of(browser.get("/lessons")).all("input", name="rowid")) == 3


def test_the_panel_does_not_take_what_only_instructors_have(drafts: list[str]) -> None:
    support = signed_in(make_user(role="support"))
    for action in ("set_price", "move", "trash"):
        answer = sent(support, "/admin/lesson/action/", action=action, rowid=drafts, price="1", course_id="")
        assert answer.status_code == 400
    assert begun() == 0


def test_several_lessons_are_restored_from_the_trash(
    browser: FlaskClient, drafts: list[str], instructor: User
) -> None:
    with transaction(Actor.user(instructor.id)):
        courses.delete(instructor, make_course(instructor=instructor).id)
    sent(browser, action="trash", rowid=drafts, once="1")
    listed = page_of(browser.get("/trash"))
    assert ({one["value"] for one in listed.all("input", name="rowid")}, listed.faults()) == (set(drafts), [])
    seen = page_of(sent(browser, action="restore_as_draft", rowid=drafts[:2], url="/trash"))
    assert (seen.text("h1"), seen.faults()) == ("Restore 2 lessons as drafts", [])
    assert seen.text("tbody").count("It is restored from the trash.") == 2
    page = sent(browser, action="restore_as_draft", rowid=drafts[:2], once="2").location
    assert "2 lessons done" in page_of(browser.get(page)).text()
    assert len(page_of(browser.get("/trash")).all("input", name="rowid")) == 1
    sent(browser, f"{page}/undo")
    assert len(page_of(browser.get("/trash")).all("input", name="rowid")) == 3
    support = signed_in(make_user(role="support"))
    assert page_of(support.get("/trash")).all("input", name="rowid") == []
