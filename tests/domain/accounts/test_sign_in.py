"""Signing in: ten wrong tries in five minutes for an account and for an address, one answer and one time for every no."""

import uuid

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.accounts import passwords, sign_in, users
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import SignInFailure
from tests.factories import PASSWORD, make_user

HERE = "192.0.2.1"


def attempt(email: str, password: str = "wrong password", address: str = HERE) -> bool:  # noqa: S107 - a test's
    """One try as the sign-in page makes it."""
    with transaction(Actor("user")):
        try_id = sign_in.begin_try(email=email, address=address)
    proof = sign_in.prove(email=email, password=password)
    with transaction(Actor("user")):
        sign_in.fail(try_id) if proof is None else sign_in.forgive(try_id)
    return proof is not None


def age_tries(session: Session, seconds: int) -> None:
    session.execute(update(SignInFailure).values(at=SignInFailure.at - text(f"interval '{seconds} seconds'")))
    session.commit()


def test_the_right_password_opens_and_leaves_no_trace(session: Session) -> None:
    user = make_user()
    assert attempt(user.email, PASSWORD)
    assert attempt(f"  {user.email.upper()} ", PASSWORD)
    assert session.scalar(select(func.count()).select_from(SignInFailure)) == 0


def test_the_eleventh_try_for_an_account_is_refused_even_with_the_right_password(session: Session) -> None:
    user = make_user()
    for number in range(10):
        assert not attempt(user.email, address=f"192.0.2.{number + 10}")
    with pytest.raises(TooMany) as caught:
        attempt(user.email.upper(), PASSWORD, address="198.51.100.1")
    assert caught.value.retry_after == 300


def test_the_eleventh_try_from_an_address_is_refused_whatever_the_account(session: Session) -> None:
    for number in range(10):
        assert not attempt(f"nobody{number}@school.example")
    user = make_user()
    with pytest.raises(TooMany):
        attempt(user.email, PASSWORD)
    assert attempt(user.email, PASSWORD, address="198.51.100.1")


def test_nine_wrong_tries_do_no_harm(session: Session) -> None:
    user = make_user()
    for _ in range(9):
        attempt(user.email)
    assert attempt(user.email, PASSWORD)


def test_after_five_minutes_it_is_forgotten_and_not_before(session: Session) -> None:
    user = make_user()
    for _ in range(10):
        attempt(user.email)
    age_tries(session, 295)
    with pytest.raises(TooMany):
        attempt(user.email, PASSWORD)
    age_tries(session, 10)
    assert attempt(user.email, PASSWORD)


def test_a_try_that_is_still_looked_at_makes_the_next_one_wait_and_not_fail(session: Session) -> None:
    user = make_user()
    tries = []
    for _ in range(10):
        with transaction(Actor("user")):
            tries.append(sign_in.begin_try(email=user.email, address=HERE))
    with pytest.raises(sign_in.Busy), transaction(Actor("user")):
        sign_in.begin_try(email=user.email, address=HERE)
    with transaction(Actor("user")):
        sign_in.forgive(tries[0])
    assert attempt(user.email, PASSWORD)


def test_a_try_whose_process_died_counts_as_wrong(session: Session) -> None:
    user = make_user()
    for _ in range(10):
        with transaction(Actor("user")):
            sign_in.begin_try(email=user.email, address=HERE)
    age_tries(session, int(sign_in.UNDECIDED.total_seconds()) + 1)
    with pytest.raises(TooMany):
        attempt(user.email, PASSWORD)


def test_a_very_long_address_is_counted_like_any_other(session: Session) -> None:
    email = "x" * 5000 + "@school.example"
    for number in range(10):
        assert not attempt(email, address=f"192.0.2.{number}")
    with pytest.raises(TooMany):
        attempt(email, address="198.51.100.1")


def test_disabled_and_passwordless_accounts_are_simply_wrong(session: Session) -> None:
    disabled = make_user()
    with transaction(CLI):
        users.set_active(disabled, False)
        scripted = users.create_user(email="script@school.example", role="instructor")
    assert not attempt(disabled.email, PASSWORD)
    assert not attempt(scripted.email, "")
    assert not attempt("nobody@school.example", PASSWORD)


@pytest.fixture
def kinds(real_hasher: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of which strength the hashes were that a try was compared with: that is all its time, and clocks are noisy."""
    compared: list[str] = []
    matches = passwords._matches

    def counted(stored: str, password: str) -> bool:
        compared.append(stored.rsplit("$", 2)[0])
        return matches(stored, password)

    monkeypatch.setattr(passwords, "_matches", counted)
    return compared


def costs_of_a_no(kinds: list[str], *tries: tuple[str, str]) -> list[list[str]]:
    costs = []
    for email, password in tries:
        kinds.clear()
        assert sign_in.prove(email=email, password=password) is None
        costs.append(sorted(kinds))
    return costs


def test_every_no_takes_the_same_time(session: Session, kinds: list[str]) -> None:
    disabled, present = make_user(active=False), make_user()
    costs = costs_of_a_no(
        kinds,
        (present.email, "wrong password"),
        (disabled.email, PASSWORD),
        ("nobody@school.example", PASSWORD),
        (make_user(password_hash=None).email, PASSWORD),
    )
    assert costs == [["$argon2id$v=19$m=47104,t=1,p=1"]] * 4


def test_with_old_hashes_around_every_no_takes_the_same_time_too(session: Session, kinds: list[str]) -> None:
    old = make_user(password_hash=generate_password_hash(PASSWORD))
    costs = costs_of_a_no(
        kinds,
        (old.email, "wrong password"),
        (make_user().email, "wrong password"),
        ("nobody@school.example", PASSWORD),
    )
    assert costs == [["$argon2id$v=19$m=47104,t=1,p=1", "scrypt:32768:8:1"]] * 3


def test_a_user_who_signs_in_with_an_old_hash_is_given_a_new_one(session: Session) -> None:
    old = generate_password_hash(PASSWORD)
    user = make_user(password_hash=old)
    first, second = (sign_in.prove(email=user.email, password=PASSWORD) for _ in range(2))
    assert first is not None
    assert second is not None
    with transaction(CLI):
        sign_in.hold(first)
    session.refresh(user)
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    with pytest.raises(sign_in.Overtaken), transaction(CLI):
        sign_in.hold(second)
    again = sign_in.prove(email=user.email, password=PASSWORD)
    assert again is not None
    assert again.better is None
    assert sign_in.prove(email=user.email, password="wrong password") is None


def test_a_try_is_never_stored_as_it_was_typed(session: Session) -> None:
    with transaction(Actor("user")):
        sign_in.begin_try(email="My Secret Password 1", address=HERE)
    kept = session.execute(text("SELECT to_jsonb(one)::text FROM sign_in_failures one")).scalars().all()
    assert len(kept) == 1
    assert "secret" not in kept[0].lower()


def test_to_fail_or_forgive_an_unknown_try_changes_nothing(session: Session) -> None:
    with transaction(CLI):
        sign_in.fail(uuid.uuid4())
        sign_in.forgive(uuid.uuid4())


def test_a_right_password_leads_on_and_forgets_its_try(session: Session) -> None:
    user = make_user()
    arguments = {"address": HERE, "then": lambda user: user.id}
    assert sign_in.sign_in(email=user.email, password=PASSWORD, **arguments) == user.id
    assert session.scalar(select(func.count()).select_from(SignInFailure)) == 0
    with pytest.raises(sign_in.WrongCredentials):
        sign_in.sign_in(email=user.email, password="wrong password", **arguments)
    assert session.scalar(select(func.count()).select_from(SignInFailure)) == 1


def test_a_counted_try_stays_wrong_whatever_ends_it(session: Session) -> None:
    user = make_user()
    with pytest.raises(KeyboardInterrupt), sign_in.counted_try(email=user.email, address=HERE):
        raise KeyboardInterrupt
    assert session.scalars(select(SignInFailure.at <= func.clock_timestamp())).all() == [True]


def test_a_password_that_changes_at_each_look_is_looked_at_a_few_times(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = []

    def overtaken(proof: sign_in.Proof) -> None:
        looked.append(proof.user.id)
        raise sign_in.Overtaken

    monkeypatch.setattr(sign_in, "hold", overtaken)
    user = make_user()
    with pytest.raises(sign_in.WrongCredentials):
        sign_in.sign_in(email=user.email, password=PASSWORD, address=HERE, then=lambda user: user)
    assert looked == [user.id] * sign_in.MAX_PROOFS
