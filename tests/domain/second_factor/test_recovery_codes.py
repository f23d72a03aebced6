"""Recovery codes: ten, hashed, each once, of one account."""

import re
import threading

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import factors, recovery_codes
from tests.factories import give_recovery_codes, make_user


def takes(user: User, code: str) -> bool:
    with transaction(CLI):
        return recovery_codes.takes(user, code)


def test_ten_codes_that_the_table_does_not_hold(session: Session) -> None:
    user = make_user()
    codes = give_recovery_codes(user)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[2-9a-hj-km-np-z]{4}(-[2-9a-hj-km-np-z]{4}){3}", code) for code in codes)
    kept = " ".join(session.execute(text("SELECT to_jsonb(one)::text FROM recovery_codes one")).scalars())
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert factors.of(user.id).recovery_codes == 10


def test_each_works_once_however_it_is_typed(session: Session) -> None:
    user = make_user()
    first, second, third, *_ = give_recovery_codes(user)
    assert takes(user, first)
    assert not takes(user, first)
    assert takes(user, f"  {second.upper().replace('-', ' ')} ")
    assert takes(user, third.replace("-", ""))
    assert factors.of(user.id).recovery_codes == 7
    assert not takes(user, "")
    assert not takes(user, "abcd-abcd-abcd-abcd")


def test_a_code_of_another_account_opens_nothing(session: Session) -> None:
    user, other = make_user(), make_user()
    codes = give_recovery_codes(other)
    give_recovery_codes(user)
    assert not takes(user, codes[0])
    assert takes(other, codes[0])


def test_new_ones_replace_the_old(session: Session) -> None:
    user = make_user()
    old, new = give_recovery_codes(user), give_recovery_codes(user)
    assert not takes(user, old[0])
    assert takes(user, new[0])


def test_of_many_at_once_one_has_the_code(app: Flask, session: Session) -> None:
    user = make_user()
    code = give_recovery_codes(user)[0]
    session.commit()
    start, taken = threading.Barrier(6), []

    def one() -> None:
        with app.app_context():
            start.wait()
            with transaction(CLI):
                taken.append(recovery_codes.takes(db.session.get_one(User, user.id), code))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]
