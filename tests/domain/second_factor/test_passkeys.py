"""What a passkey answers is believed for this site, this challenge and this account, and for nothing else."""

import json
import secrets
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Passkey, User
from lessonadmin.domain.second_factor import passkeys
from tests.authenticator import PRESENT, VERIFIED, Authenticator, to_bytes, to_text
from tests.factories import give_passkey, make_user
from tests.settings import overridden

CHALLENGE = b"c" * 32


def prove(user: User, answer: str, challenge: bytes = CHALLENGE, *, alone: bool = True) -> Passkey:
    with transaction(CLI):
        return passkeys.prove(user, answer, challenge, alone=alone)


def asked() -> str:
    return passkeys.options_to_prove(CHALLENGE)


@pytest.mark.parametrize(
    ("public_url", "name", "origin"),
    [
        ("https://lessons.school.example", "lessons.school.example", "https://lessons.school.example"),
        ("https://lessons.school.example:443", "lessons.school.example", "https://lessons.school.example"),
        ("https://school.example:8443", "school.example", "https://school.example:8443"),
        ("https://Schüle.example", "xn--schle-mva.example", "https://xn--schle-mva.example"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "localhost", "http://localhost:8000"),
        ("http://[::1]:8000", "localhost", "http://localhost:8000"),
    ],
)
def test_the_site_is_named_as_browsers_name_it(
    settings: object, public_url: str, name: str, origin: str
) -> None:
    with overridden(public_url=public_url):
        assert passkeys.site() == passkeys.Site(name, origin)


def test_an_address_without_a_name_has_no_passkeys(settings: object) -> None:
    with overridden(public_url="https://192.0.2.10"):
        assert passkeys.site() is None
        with pytest.raises(Conflict):
            asked()


def test_a_key_is_kept_and_proves(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    (kept,) = passkeys.of(user.id)
    assert (kept.name, kept.sign_count, kept.last_used_at) == ("My phone", 0, None)
    assert prove(user, device.sign(asked())).id == kept.id
    session.refresh(kept)
    assert kept.sign_count == 1
    assert kept.last_used_at is not None


def test_a_key_that_never_counts_is_fine(session: Session) -> None:
    user = make_user()
    device = give_passkey(user, counts=False)
    assert prove(user, device.sign(asked()))
    assert prove(user, device.sign(asked()))


def test_the_handle_is_random_one_for_all_keys_and_says_nothing(session: Session) -> None:
    user, other = make_user(), make_user()
    devices = [give_passkey(user), give_passkey(user), give_passkey(other)]
    assert devices[0].handle == devices[1].handle != devices[2].handle
    assert len(devices[0].handle) == 32
    assert user.email.encode() not in devices[0].handle
    assert user.id.bytes not in devices[0].handle
    options = json.loads(passkeys.options_to_add(user, CHALLENGE))
    assert {one["id"] for one in options["excludeCredentials"]} == {
        to_text(one.credential_id) for one in devices[:2]
    }


LIES: list[dict[str, Any]] = [
    {"origin": "https://evil.example"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "https://localhost"},
    {"origin": "http://localhost:8001"},
    {"rp": "evil.example"},
    {"challenge": to_text(b"d" * 32)},
    {"kind": "webauthn.create"},
    {"flags": 0},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"handle": b"of another account"},
    {"handle": None},
    {"key": Authenticator().key},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_a_lie_proves_nothing(session: Session, lie: dict[str, Any]) -> None:
    user = make_user()
    device = give_passkey(user)
    with pytest.raises(passkeys.Refused):
        prove(user, device.sign(asked(), **lie))
    assert prove(user, device.sign(asked())), "and the truth does"


def test_beside_a_password_presence_is_enough(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    assert prove(user, device.sign(asked(), flags=PRESENT, handle=None), alone=False)
    with pytest.raises(passkeys.Refused):
        prove(user, device.sign(asked(), flags=0), alone=False)


@pytest.mark.parametrize("lie", [one for one in LIES if "handle" not in one and "key" not in one])
def test_a_lie_makes_no_key(session: Session, lie: dict[str, Any]) -> None:
    user, device = make_user(), Authenticator()
    lie = {"kind": "webauthn.get"} if "kind" in lie else lie
    with pytest.raises(passkeys.Refused), transaction(CLI):
        passkeys.add(user, device.make(passkeys.options_to_add(user, CHALLENGE), **lie), CHALLENGE, name="")
    assert passkeys.of(user.id) == []


def test_the_key_of_another_account_proves_nothing(session: Session) -> None:
    thief, victim = make_user(), make_user()
    device = give_passkey(thief)
    give_passkey(victim)
    with pytest.raises(passkeys.Refused):
        prove(victim, device.sign(asked()))
    (theirs,) = passkeys.of(victim.id)
    device.credential_id = theirs.credential_id
    with pytest.raises(passkeys.Refused):
        prove(victim, device.sign(asked(), handle=theirs.user_handle))


def test_a_key_of_one_account_is_not_added_to_another(session: Session) -> None:
    owner, other = make_user(), make_user()
    device = give_passkey(owner)
    with pytest.raises(passkeys.Refused), transaction(CLI):
        passkeys.add(other, device.make(passkeys.options_to_add(other, CHALLENGE)), CHALLENGE, name="")
    assert passkeys.of(other.id) == []


@pytest.mark.parametrize("counter", [0, 4, 5])
def test_a_counter_that_does_not_go_on_is_a_copy(session: Session, counter: int) -> None:
    user = make_user()
    device = give_passkey(user)
    for _ in range(5):
        prove(user, device.sign(asked()))
    with pytest.raises(passkeys.Copied):
        prove(user, device.sign(asked(), counter=counter))
    assert prove(user, device.sign(asked(), counter=6))


@pytest.mark.parametrize(
    "noise",
    [
        "",
        "x",
        "[]",
        "{}",
        "null",
        "1",
        '{"id": 1}',
        "x" * 30_000,
        '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
        "{" * 5000,
    ],
)
def test_noise_proves_nothing_and_names_no_account(session: Session, noise: str) -> None:
    user = make_user()
    give_passkey(user)
    assert passkeys.owner_of(noise) is None
    with pytest.raises(passkeys.Refused):
        prove(user, noise)
    with pytest.raises(passkeys.Refused), transaction(CLI):
        passkeys.add(user, noise, CHALLENGE, name="")


def test_every_cut_of_a_right_answer_is_refused(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    whole = json.loads(device.sign(asked()))
    for part, value in whole["response"].items():
        for cut in (value[:-4], "", "%%", to_text(to_bytes(value)[1:])):
            answer = {**whole, "response": {**whole["response"], part: cut}}
            with pytest.raises(passkeys.Refused):
                prove(user, json.dumps(answer))


def test_the_owner_is_found_by_the_key_alone(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    assert passkeys.owner_of(device.sign(asked())) == user.id
    assert passkeys.owner_of(Authenticator(handle=device.handle).sign(asked())) is None


def test_names_and_their_limits(session: Session) -> None:
    user, other = make_user(), make_user()
    give_passkey(user, name="")
    give_passkey(user, name="  My\tphone ")
    assert [one.name for one in passkeys.of(user.id)] == ["Passkey 1", "My phone"]
    first = passkeys.of(user.id)[0]
    with transaction(CLI):
        assert not passkeys.rename(other, first.id, "Stolen")
        assert passkeys.remove(other, first.id) is None
        assert passkeys.rename(user, first.id, "Laptop")
        with pytest.raises(Invalid):
            passkeys.rename(user, first.id, "x" * 61)
    assert [one.name for one in passkeys.of(user.id)] == ["Laptop", "My phone"]
    with transaction(CLI):
        assert passkeys.remove(user, first.id) == "Laptop"
        passkeys.remove_all(user)
    assert passkeys.of(user.id) == []


def test_there_are_at_most_twenty(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MAX_PASSKEYS", 1)
    user = make_user()
    give_passkey(user)
    with pytest.raises(Conflict):
        passkeys.options_to_add(user, secrets.token_bytes(32))


def test_no_private_half_is_stored(session: Session) -> None:
    device = give_passkey(make_user())
    private = device.key.private_numbers().private_value.to_bytes(32, "big")
    kept = session.scalars(select(Passkey)).one()
    assert private not in kept.public_key
    assert (
        private.hex()
        not in session.execute(text("SELECT to_jsonb(one)::text FROM passkeys one")).scalar_one()
    )
