"""Passwords as hashes: making one, comparing with one, and what a password must be like. It knows no account.

Argon2id with 46 MiB, one pass and one lane, which costs about as much time as a sign-in may take; a web process with eight
threads needs at most eight times that memory at once. Hashes of scrypt, which an older program made, are compared as
they are, and a user who signs in with one gets a new one. A password itself is never stored, logged or sent.
"""

import re
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from werkzeug.security import check_password_hash

from lessonadmin.domain.errors import Invalid

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
MIN_DIFFERENT = 4  # characters
# What must be left of a password without the words that everyone knows of the account, and without digits and signs.
MIN_OWN_LETTERS = 4
MIN_WORD_LENGTH = 3
PRODUCT = "lessonadmin"
COMMON = Path(__file__).with_name("common_passwords.txt")
MIN_LETTERS = 6  # with fewer, a password is compared sign by sign
MEMORY_KIB = 46 * 1024
OLD = "scrypt:"
# Hashes of random texts that were not kept, one of each kind: what a try is compared with when there is nothing else.
UNUSED_HASH = (
    "$argon2id$v=19$m=47104,t=1,p=1$eeVP2QK9PTkR9CVTL0N25Q$x/tiV1f2D+D4YnRaPBLAn1cOitYTri//MDSIUPQ5SHQ"
)
UNUSED_OLD_HASH = (
    "scrypt:32768:8:1$O9hwl38OsoniQ1Ee$"
    "115e84435c277ee7f68669abc4c3887226e0e3d5accf671d5e8cce2ccfd31bfa"
    "de3cc3081dee4b6e8c43d55400b28eed217b4eced41b8bab9c9da9866eccc9fc"
)
_argon2 = PasswordHasher(time_cost=1, memory_cost=MEMORY_KIB, parallelism=1)


def hashed(password: str) -> str:
    return _argon2.hash(_bytes(password))


def proves(stored: str | None, password: str) -> bool:
    """Is this the password? Takes as long for an account that has none."""
    right = _matches(stored or UNUSED_HASH, password)
    return right and stored is not None


def waste_the_time_of_the_other_kind(stored: str | None) -> None:
    """As long as there are hashes of both kinds, a wrong try costs one of each, so that its time tells nothing."""
    _matches(UNUSED_HASH if is_old(stored) else UNUSED_OLD_HASH, "")


def is_old(stored: str | None) -> bool:
    return stored is not None and stored.startswith(OLD)


def needs_rehash(stored: str) -> bool:
    """Was it made in another way than one would be made now?"""
    return is_old(stored) or _argon2.check_needs_rehash(stored)


def made_up() -> str:
    """A random password for another user, who is to change it."""
    return secrets.token_urlsafe(12)


def check_strength(password: str, *, field: str = "password", known: Iterable[str] = ()) -> None:
    """Long enough, and no attacker's first guess; `known` are the words of this account: its address, its name, the school's.

    Nothing is asked of digits, capitals or signs: such rules make passwords that people write down.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Invalid.field(
            field, f"Choose a password of {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters."
        )
    if len(set(password)) < MIN_DIFFERENT:
        raise Invalid.field(
            field,
            "This repeats a few characters only. Choose one that is harder to guess, such as a short sentence.",
        )
    if password.casefold() in _common():
        raise Invalid.field(
            field,
            "Many people use this password, so it is guessed first. Choose another one, such as a short sentence.",
        )
    if _is_made_of(password, known):
        raise Invalid.field(
            field,
            "This is your name, your address or the name of the site. Choose one that others do not know, such as a short"
            " sentence.",
        )


@cache
def _common() -> frozenset[str]:
    """Read once, when the first password is chosen."""
    lines = COMMON.read_text().splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _is_made_of(password: str, known: Iterable[str]) -> bool:
    """Is there next to nothing in it but these words?"""
    rest = password.casefold()
    words = {PRODUCT} | {word for text in known for word in _words_of(text)}
    found = False
    for word in sorted(words, key=len, reverse=True):
        found = found or word in rest
        rest = rest.replace(word, " ")
    return found and sum(sign.isalpha() for sign in rest) < MIN_OWN_LETTERS


def _words_of(text: str) -> set[str]:
    """The whole of it, and the words that it is made of."""
    folded = text.casefold()
    words = {folded, folded.replace(" ", ""), *re.split(r"[\W_]+", folded)}
    return {word for word in words if len(word) >= MIN_WORD_LENGTH}


def check_different(new: str, old: str, *, field: str) -> None:
    """A person who knows the old one must not know the new one: neither is a part of the other, whatever signs are added."""
    was, becomes = _letters_of(old), _letters_of(new)
    if was in becomes or becomes in was:
        raise Invalid.field(field, "Choose one that is different from the current password.")


def _letters_of(password: str) -> str:
    folded = password.casefold()
    letters = "".join(sign for sign in folded if sign.isalnum())
    return letters if len(letters) >= MIN_LETTERS else folded


def _matches(stored: str, password: str) -> bool:
    password = password[:MAX_PASSWORD_LENGTH]
    if is_old(stored):
        return check_password_hash(stored, password)
    try:
        return _argon2.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
