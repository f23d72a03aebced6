"""Whose account a person of the provider has: joined once by a verified address, then by issuer and subject for ever."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, UNKNOWN_USER, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import AuditLog, Notification, ProviderIdentity, User
from lessonadmin.domain.single_sign_on import people
from lessonadmin.domain.single_sign_on.people import NotAdmitted
from lessonadmin.oidc.id_token import Claims
from tests.factories import make_user
from tests.settings import overridden

ISSUER = "https://login.school.example"
ROLES = {
    "oidc_role_claim": "groups",
    "oidc_roles": (("pupils", "student"), ("staff room", "instructor"), ("desk", "support")),
}


def claims(
    subject: str = "b7c1", email: str = "", *, verified: bool = True, name: str = "Ada", **more: Any
) -> Claims:
    issuer = more.pop("issuer", ISSUER)
    return Claims(issuer, subject, email, verified, name, more)


def account_for(one: Claims) -> User:
    with transaction(UNKNOWN_USER):
        return people.account_for(one)


def refused(one: Claims) -> str:
    with pytest.raises(NotAdmitted) as caught, transaction(UNKNOWN_USER):
        people.account_for(one)
    return caught.value.type


def test_a_verified_address_joins_once_and_the_subject_counts_from_then_on(session: Session) -> None:
    ada = make_user(email="Ada@school.example")
    other = make_user(email="bea@school.example")
    assert account_for(claims(email="ada@SCHOOL.example")).id == ada.id
    assert account_for(claims(email="")).id == ada.id, "the address is needed no more"
    assert account_for(claims(email=other.email)).id == ada.id, "another address leads to no other account"
    assert account_for(claims(verified=False)).id == ada.id
    actions = session.scalars(select(AuditLog.action).where(AuditLog.target_id == ada.id)).all()
    assert actions == ["user.single_sign_on_joined"]
    (notice,) = session.scalars(select(Notification.message).where(Notification.user_id == ada.id))
    assert notice.startswith("Your account can now be opened by single sign-on.")


def test_an_address_that_is_not_verified_joins_nothing(session: Session) -> None:
    make_user(email="ada@school.example")
    assert refused(claims(email="ada@school.example", verified=False)) == "address_not_verified"
    assert refused(claims(email="")) == "address_not_verified"
    assert session.scalars(select(ProviderIdentity)).all() == []


def test_an_address_that_was_given_to_another_person_opens_nothing(session: Session) -> None:
    make_user(email="ada@school.example")
    account_for(claims("first", "ada@school.example"))
    assert refused(claims("second", "ada@school.example")) == "joined_to_another"


def test_the_same_subject_of_another_issuer_is_another_person(session: Session) -> None:
    ada = make_user(email="ada@school.example")
    account_for(claims(email="ada@school.example"))
    assert refused(claims(issuer="https://evil.example", email="")) == "address_not_verified"
    assert account_for(claims(issuer="https://new.school.example", email="ada@school.example")).id == ada.id


@pytest.mark.parametrize("joined", [True, False])
def test_a_disabled_account_stays_out(session: Session, joined: bool) -> None:
    ada = make_user(email="ada@school.example")
    if joined:
        account_for(claims(email="ada@school.example"))
    with transaction(CLI):
        users.set_active(ada, False)
    assert refused(claims(email="ada@school.example")) == "account_disabled"
    assert len(session.scalars(select(ProviderIdentity)).all()) == joined


def test_unknown_people_are_refused_unless_the_setting_makes_them_students(session: Session) -> None:
    new = claims(email="new@school.example", name="Nia " * 50)
    assert refused(new) == "no_account"
    with overridden(oidc_new_people="student"):
        made = account_for(new)
        assert (made.role, made.email, made.password_hash) == ("student", "new@school.example", None)
        assert len(made.name) <= users.MAX_NAME_LENGTH
        assert account_for(new).id == made.id
        assert refused(claims("x", "other@school.example", verified=False)) == "address_not_verified"


def test_without_a_claim_every_account_keeps_its_role(session: Session) -> None:
    make_user(email="ada@school.example", role="support")
    assert account_for(claims(email="ada@school.example", groups=["pupils"])).role == "support"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("staff room", "instructor"),
        (["pupils", "desk"], "support"),
        (["pupils", "staff room"], "instructor"),
        (["chess"], "student"),
        ([], "student"),
        (None, "student"),
        ([["desk"], {"desk": 1}, 7], "student"),
        ({"desk": True}, "student"),
        ("Desk", "student"),
    ],
)
def test_the_strongest_role_that_the_claim_means(session: Session, groups: object, role: str) -> None:
    with overridden(**ROLES, oidc_new_people="student"):
        assert account_for(claims(email="new@school.example", groups=groups)).role == role


def test_a_changed_claim_changes_the_role_and_is_audited(session: Session) -> None:
    ada = make_user(email="ada@school.example", role="instructor")
    with overridden(**ROLES):
        account_for(claims(email="ada@school.example", groups=["desk"]))
        assert account_for(claims(groups=["chess"])).role == "support", "no word about it changes nothing"
        assert account_for(claims(groups=["pupils"])).role == "student"
    rows = session.scalars(
        select(AuditLog).where(AuditLog.action == "user.role_changed").order_by(AuditLog.id)
    )
    assert [(row.target_id, row.detail["before"], row.detail["after"]) for row in rows] == [
        (ada.id, "instructor", "support"),
        (ada.id, "support", "student"),
    ]
    told = session.scalars(select(Notification.message).where(Notification.user_id == ada.id)).all()
    assert "Single sign-on changed your role from instructor to support." in told


def test_no_claim_makes_or_unmakes_an_admin(session: Session) -> None:
    make_user(email="root@school.example", role="admin")
    with overridden(**ROLES):
        assert account_for(claims(email="root@school.example", groups=["pupils"])).role == "admin"


def test_leaving_opens_the_account_no_more(session: Session) -> None:
    ada = make_user(email="ada@school.example")
    account_for(claims("first", "ada@school.example"))
    with transaction(CLI):
        assert people.leave(ada)
        assert not people.leave(ada)
    assert refused(claims("first", "")) == "address_not_verified"
    assert account_for(claims("second", "ada@school.example")).id == ada.id
