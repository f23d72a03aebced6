"""Links: the table has hashes, a link is one of its kind, opens once, and ends with the account's access."""

import contextlib

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import links
from lessonadmin.domain.models import AccountLink, User
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("session")


def handed(user: User, kind: str = "password_reset", seconds: int = 60) -> str:
    with transaction(CLI):
        life = links.timedelta(seconds=seconds)
        return links.to_hand_over(user, kind, made_by=None, life=life)  # type: ignore[arg-type]  # one of the three


def opens(secret: str, kind: str = "password_reset") -> bool:
    try:
        links.look(secret, kind)  # type: ignore[arg-type]  # one of the three
    except links.LinkEnded:
        return False
    return True


def test_the_table_has_a_hash_and_looking_changes_nothing() -> None:
    user = make_user()
    secret = handed(user)
    row = db.session.scalars(select(AccountLink)).one()
    assert secret not in str(
        {column.name: getattr(row, column.name) for column in AccountLink.__table__.columns}
    )
    for _ in range(3):
        found, link = links.look(secret, "password_reset")
        assert (found.id, link.used_at) == (user.id, None)


def test_it_opens_what_it_was_made_for_and_nothing_else() -> None:
    secret = handed(make_user())
    assert opens(secret)
    assert not opens(secret, "invitation")
    assert not opens(secret, "new_address")
    assert not opens(secret + "x")
    assert not opens("")


def test_it_is_used_once_and_a_use_that_is_taken_back_was_none() -> None:
    user = make_user()
    secret = handed(user)
    with contextlib.suppress(RuntimeError), transaction(CLI):
        links.use(secret, "password_reset")
        raise RuntimeError
    with transaction(CLI):
        assert links.use(secret, "password_reset")[0].id == user.id
    with pytest.raises(links.LinkEnded), transaction(CLI):
        links.use(secret, "password_reset")
    assert not opens(secret)


def test_another_of_its_kind_ends_it_and_others_stay() -> None:
    user = make_user()
    first, address = handed(user), handed(user, "new_address")
    other = handed(make_user())
    second = handed(user)
    assert [opens(first), opens(second), opens(other), opens(address, "new_address")] == [
        False,
        True,
        True,
        True,
    ]
    with transaction(CLI):
        assert links.end_open(user) == 2
    assert [opens(second), opens(other), opens(address, "new_address")] == [False, True, False]


def test_it_ends_by_the_clock_of_the_database() -> None:
    secret = handed(make_user())
    db.session.execute(update(AccountLink).values(expires_at=text("clock_timestamp() - interval '1 second'")))
    db.session.commit()
    assert not opens(secret)
    with pytest.raises(links.LinkEnded), transaction(CLI):
        links.use(secret, "password_reset")


@pytest.mark.parametrize("columns", [{"active": False}, {"deleted_at": text("clock_timestamp()")}])
def test_an_account_that_is_closed_opens_by_no_link(columns: dict[str, object]) -> None:
    user = make_user()
    secret = handed(user)
    db.session.execute(update(User).where(User.id == user.id).values(**columns))
    db.session.commit()
    assert not opens(secret)
    with pytest.raises(links.LinkEnded), transaction(CLI):
        links.use(secret, "password_reset")


def test_each_mail_has_a_secret_of_its_own_and_the_last_one_opens() -> None:
    user = make_user()
    with transaction(CLI):
        link = links.by_mail(user, "invitation", email=user.email)
        assert link.secret_hash is None
    secrets = []
    for _ in range(2):
        with transaction(CLI):
            issued = links.issue(link.id)
            assert issued is not None
            secrets.append(issued[1])
    assert [opens(one, "invitation") for one in secrets] == [False, True]
    with transaction(CLI):
        links.end_open(user)
        assert links.issue(link.id) is None


def test_the_latest_is_found_whatever_became_of_it(session: Session) -> None:
    user = make_user()
    assert links.latest(user, "invitation") is None
    handed(user, "invitation")
    with transaction(CLI):
        links.end_open(user)
    latest = links.latest(user, "invitation")
    assert latest is not None
    assert latest.ended_at is not None
    assert links.open_one(user, "invitation") is None
