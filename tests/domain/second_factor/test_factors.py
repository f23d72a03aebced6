"""Which factors accounts have, of whom one is required, and whose bearer tokens wait for it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import authenticator_app, factors, recovery_codes
from tests.factories import give_app, give_recovery_codes, make_user
from tests.queries import counted
from tests.settings import overridden


def test_all_accounts_are_looked_up_by_one_statement(session: Session) -> None:
    with_app, codes_only, begun, none = (make_user() for _ in range(4))
    give_app(with_app)
    give_recovery_codes(with_app)
    give_recovery_codes(codes_only)
    with transaction(CLI):
        authenticator_app.begin(begun)
    with counted() as sent:
        found = factors.of_all([with_app.id, codes_only.id, begun.id, none.id])
    assert len(sent) == 1
    assert found[with_app.id] == factors.Factors(app=True, passkeys=0, recovery_codes=10)
    assert not found[codes_only.id].any, "recovery codes alone are no factor"
    assert not found[begun.id].any
    assert found[none.id] == factors.NONE
    assert session.scalars(select(User.id).where(~factors.has_none())).all() == [with_app.id]


def test_few_codes_are_warned_of(session: Session) -> None:
    user = make_user()
    give_app(user)
    codes = give_recovery_codes(user)
    seen = []
    with transaction(CLI):
        for code in codes[:7]:
            seen.append(factors.of(user.id).few_codes)
            recovery_codes.takes(user, code)
    assert seen == [False] * 7
    assert factors.of(user.id).few_codes, "three are left"
    assert not factors.NONE.few_codes


@pytest.mark.parametrize(
    ("role", "required"), [("student", False), ("instructor", False), ("support", True), ("admin", True)]
)
def test_only_of_staff_and_only_where_the_setting_says_so(
    session: Session, role: str, required: bool
) -> None:
    user = make_user(role=role)
    assert not factors.are_required_of(user)
    with overridden(staff_second_factor="required"):
        assert factors.are_required_of(user) is required
        assert factors.hold_back_tokens_of(user) is required


def test_tokens_of_staff_with_a_factor_and_of_accounts_without_a_password_are_not_held_back(
    session: Session,
) -> None:
    with_app, script = make_user(role="admin"), make_user(role="support", password_hash=None)
    give_app(with_app)
    with overridden(staff_second_factor="required"):
        assert not factors.hold_back_tokens_of(with_app)
        assert not factors.hold_back_tokens_of(script)


def test_staff_without_one_are_counted_and_listed(session: Session) -> None:
    missing = make_user(role="support")
    make_user()
    make_user(role="admin", active=False)
    make_user(role="admin", password_hash=None)
    give_app(make_user(role="admin"))
    assert session.scalars(select(User.id).where(factors.are_missing())).all() == [missing.id]
    assert session.execute(factors.staff_without()).scalar_one() == 1
