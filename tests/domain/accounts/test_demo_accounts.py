"""Which accounts are the demo's: those at its domain, however it is written, and no others."""

from sqlalchemy.orm import Session

from lessonadmin.domain.accounts import demo_accounts
from tests.factories import make_user


def test_the_domain_decides(session: Session) -> None:
    before = session.scalars(demo_accounts.count_of_others()).one()
    make_user(email="ada@demo.example")
    make_user(email="Bob@DEMO.example")
    make_user(email="eve@notdemo.example")
    assert session.scalars(demo_accounts.count_of_active()).one() == 2
    assert session.scalars(demo_accounts.count_of_others()).one() == before + 1
