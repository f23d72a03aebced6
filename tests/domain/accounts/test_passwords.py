"""Passwords: how they are hashed, what they must be like, and that the hashes of no account open nothing."""

import pytest
from werkzeug.security import generate_password_hash

from lessonadmin.domain.accounts import passwords
from lessonadmin.domain.errors import Invalid
from tests.cases import each_of

PASSWORD = "a good long password"


@pytest.mark.usefixtures("real_hasher")
def test_a_hash_is_argon2id_with_46_mib_and_another_one_each_time() -> None:
    one, two = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert one.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert one != two
    assert passwords.proves(one, PASSWORD)
    assert not passwords.proves(one, "a good long passworD")
    assert not passwords.needs_rehash(one)


@pytest.mark.usefixtures("real_hasher")
def test_a_hash_of_another_making_is_to_be_made_anew() -> None:
    old = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")
    assert passwords.proves(old, PASSWORD)
    assert not passwords.proves(old, "wrong password")
    assert passwords.needs_rehash(old)
    assert passwords.needs_rehash(passwords.UNUSED_HASH.replace("m=47104", "m=8192"))


@pytest.mark.parametrize("password", ["", PASSWORD, "\ud800", "x" * 100_000])
def test_without_a_hash_nothing_is_proved(password: str) -> None:
    assert not passwords.proves(None, password)
    assert not passwords.proves(passwords.UNUSED_HASH, password)


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$", "pbkdf2:sha256:1$x$y", "scrypt:1024:8:1$x$y"])
def test_a_damaged_hash_opens_nothing(stored: str) -> None:
    assert not passwords.proves(stored, PASSWORD)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (PASSWORD, PASSWORD),
        ("A good, long password!", PASSWORD),
        ("a good long password 2", PASSWORD),
        ("my a good long password", PASSWORD),
        ("Xy_-kP0s1tUv3wZq", "xykp0s1tuv3wzq"),
        ("!!!!!!!!!!", "!!!!!!!!!!?"),
    ],
)
def test_a_new_password_that_holds_the_old_one_is_none(new: str, old: str) -> None:
    with pytest.raises(Invalid):
        passwords.check_different(new, old, field="new_password")


@pytest.mark.parametrize(
    ("new", "old"), [("another long password", PASSWORD), ("a1!!!!!!!!", "!!!!!!!!!!a2")]
)
def test_another_password_is_another(new: str, old: str) -> None:
    passwords.check_different(new, old, field="new_password")


@each_of(
    ("password", "words"),
    [
        ("short", "10 to 200 characters"),
        ("x" * 201, "10 to 200 characters"),
        ("aaaaaaaaaaaa", "repeats a few characters"),
        ("abababababab", "repeats a few characters"),
        ("1234567890", "Many people use this password"),
        ("QWERTYuiop", "Many people use this password"),
        ("ada.lovelace@school.example", "your name, your address"),
        ("AdaLovelace1", "your name, your address"),
        ("lovelace-1815!", "your name, your address"),
        ("Lessonadmin2026", "your name, your address"),
        ("bakery-school", "your name, your address"),
    ],
)
def test_what_is_guessed_first_is_refused_and_says_what_to_do(password: str, words: str) -> None:
    known = ("ada.lovelace@school.example", "Ada Lovelace", "bakery.school")
    with pytest.raises(Invalid) as refused:
        passwords.check_strength(password, field="new_password", known=known)
    sentence = refused.value.fields["new_password"]
    assert words in sentence
    assert "hoose" in sentence


@pytest.mark.parametrize(
    "password",
    [
        "a good long password",
        "bread and butter on Sundays",
        "Ada likes rye bread",
        "lessonadmin is my job",
        "1815-12-10 London",
        "zürich-zürich-ü",
        "пароль у моря",
    ],
)
def test_a_sentence_is_taken_whatever_words_are_in_it(password: str) -> None:
    passwords.check_strength(password, known=("ada@school.example", "Ada Lovelace", ""))


def test_the_list_of_common_ones_is_usable() -> None:
    common = passwords._common()
    assert len(common) > 1_500
    assert all(
        len(one) >= passwords.MIN_PASSWORD_LENGTH and one == one.casefold() == one.strip() for one in common
    )


def test_what_an_admin_is_given_passes_the_rules() -> None:
    for _ in range(50):
        passwords.check_strength(passwords.made_up(), known=("ada@school.example",))
