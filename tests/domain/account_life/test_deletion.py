"""Deletion: nothing in any table names the person any more, what must stay leads to no one, and it is never by accident."""

from collections.abc import Callable

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.account_life import deletion
from lessonadmin.domain.accounts import handover, known_browsers, links, sessions, sign_in, tokens, users
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing
from lessonadmin.domain.models import Purchase, SavedFilter, SignInFailure, User
from lessonadmin.domain.notifications import delivery
from lessonadmin.domain.second_factor import entrance
from tests.domain.account_life.support import actions_of
from tests.factories import (
    PASSWORD,
    give_app,
    give_recovery_codes,
    keep,
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_token,
    make_tracking,
    make_user,
)
from tests.postbox import Postbox

pytestmark = pytest.mark.usefixtures("session")
EMAIL, NAME = "zelda.unmistakable@school.example", "Zelda Unmistakable"


def delete_own(user: User, password: str = PASSWORD, typed: str = "delete") -> None:
    deletion.delete_own(user, password=password, typed=typed, address="198.51.100.7")


def tables_with(word: str) -> list[str]:
    """Every table that has this word in any column of any row."""
    db.session.rollback()
    found = []
    for table in inspect(db.engine).get_table_names():
        query = text(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE :word")  # noqa: S608  # names of tables
        if db.session.scalar(query, {"word": f"%{word}%"}):
            found.append(table)
    return found


def enter(password: str) -> None:
    browser = entrance.Browser(address="192.0.2.1", user_agent=NAME)
    entrance.by_password(email=EMAIL, password=password, browser=browser)


def a_full_life(role: str = "student") -> User:
    """An account that has left something in every table."""
    with transaction(CLI):
        user = users.create_user(email=EMAIL, role=role, name=NAME, password=PASSWORD)
    enter(PASSWORD)
    with transaction(Actor.user(user.id)):
        known_browsers.remember(user, "one", address="192.0.2.1", user_agent=NAME)
        known_browsers.remember(user, "two", address="192.0.2.2", user_agent=NAME)
        links.by_mail(user, "new_address", email=f"new.{EMAIL}")
        users.rename(user, f"{NAME} the second")
        tokens.create(user, name="nightly")
    give_app(user)
    give_recovery_codes(user)
    keep(SavedFilter(user_id=user.id, list_slug="lesson", name=NAME, query="flt0_state_is=draft"))
    make_purchase(make_playing_lesson(), user)
    with pytest.raises(sign_in.WrongCredentials):
        enter("wrong")
    return user


def test_after_it_no_row_of_any_table_names_the_person(session: Session) -> None:
    user = a_full_life()
    named = {"users", "user_sessions", "saved_filters", "known_browsers", "account_links"}
    assert set(tables_with("unmistakable")) == named, "the test can fail"
    delete_own(user)
    assert tables_with("unmistakable") == []
    left = {"users", "purchases", "audit_log", "throttles"}
    assert set(tables_with(str(user.id))) == left, "and where its id is left it leads to no one"
    assert db.session.query(SignInFailure).count() == 0
    row = db.session.get_one(User, user.id)
    assert (str(row), row.active, row.password_hash, row.is_deleted) == ("Deleted account", False, None, True)
    assert db.session.scalars(select(Purchase.user_id)).one() == user.id
    assert actions_of(user)[-1] == "user.deleted"


def test_nothing_opens_it_and_its_address_is_free_again(session: Session) -> None:
    user = a_full_life()
    with transaction(CLI):
        session_secret = sessions.begin(user, address="", user_agent="")
    token = make_token(user)
    delete_own(user)
    assert sessions.by_session(session_secret) is None
    assert tokens.whose(token) is None
    with pytest.raises(sign_in.WrongCredentials):
        enter(PASSWORD)
    with transaction(CLI):
        again = users.create_user(email=EMAIL, role="student")
    assert again.id != user.id


def test_the_last_mail_goes_to_the_address_and_takes_it_along(box: Postbox) -> None:
    user = a_full_life()
    delete_own(user)
    assert tables_with("unmistakable") == ["notifications"], "until the mail has left"
    delivery.send_due()
    assert [one.to for one in box.received] == [[EMAIL]]
    assert "can't be undone" in box.received[0].text
    assert tables_with("unmistakable") == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"password": "wrong password"}, "password"),
        ({"typed": ""}, "typed"),
        ({"typed": "yes"}, "typed"),
    ],
)
def test_it_is_never_by_accident(session: Session, fields: dict[str, str], wrong: str) -> None:
    user = make_user(role="student")
    with pytest.raises(Invalid) as refused:
        delete_own(user, **fields)
    assert list(refused.value.fields) == [wrong]
    assert db.session.query(SignInFailure).count() == (wrong == "password")
    db.session.refresh(user)
    assert not user.is_deleted


@pytest.mark.parametrize("role", ["support", "admin"])
def test_staff_ask_an_admin(session: Session, role: str) -> None:
    with pytest.raises(Forbidden):
        delete_own(make_user(role=role))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda user: make_lesson(creator=user), "1 lesson"),
        (lambda user: make_course(instructor=user), "1 course"),
    ],
)
def test_content_is_transferred_first(session: Session, make: Callable[[User], object], words: str) -> None:
    user, other, admin = make_user(), make_user(), make_user(role="admin")
    make(user)
    with pytest.raises(Conflict, match=words):
        delete_own(user)
    with pytest.raises(Conflict, match=words), transaction(Actor.user(admin.id)):
        deletion.delete_other(admin, user.id)
    with transaction(CLI):
        handover.hand_over(from_id=user.id, to_id=other.id)
    delete_own(user)
    assert db.session.get_one(User, user.id).is_deleted


def test_uploads_that_have_not_arrived_are_withdrawn(session: Session) -> None:
    support, admin = make_user(role="support"), make_user(role="admin")
    upload = make_tracking(make_lesson(), started_by=support.id)
    with transaction(Actor.user(admin.id)):
        deletion.delete_other(admin, support.id)
    db.session.refresh(upload)
    assert (upload.status, upload.error_type) == ("cancelled", "right_lost")


def test_who_deletes_their_own_account_leaves_no_upload_in_a_lesson_that_is_anothers_now(
    session: Session,
) -> None:
    """As in a request: the rows of that lesson are not theirs to see."""
    user = make_user(role="instructor", email="unmistakable@school.example")
    upload = make_tracking(make_lesson(), started_by=user.id)
    row_access.use(RowAccess(user.id))
    try:
        delete_own(user)
    finally:
        row_access.use(EVERYTHING)
    db.session.refresh(upload)
    assert (upload.status, upload.error_type) == ("cancelled", "right_lost")
    assert tables_with("unmistakable") == [], "nor an address in the audit row about that upload"


def test_an_admin_deletes_anyone_but_themselves_and_the_last_admin(session: Session) -> None:
    admin, other, support = make_user(role="admin"), make_user(role="admin"), make_user(role="support")
    with pytest.raises(Conflict, match="own account"), transaction(Actor.user(admin.id)):
        deletion.delete_other(admin, admin.id)
    with pytest.raises(Forbidden), transaction(Actor.user(support.id)):
        deletion.delete_other(support, other.id)
    with transaction(Actor.user(admin.id)):
        deletion.delete_other(admin, other.id)
    with pytest.raises(Conflict, match="last admin"), transaction(CLI):
        deletion.delete_other(None, admin.id)
    with pytest.raises(Missing), transaction(Actor.user(admin.id)):
        deletion.delete_other(admin, other.id)
