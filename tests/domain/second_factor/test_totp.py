"""Codes as RFC 6238 has them, about now, and later than the last one."""

import pytest

from lessonadmin.domain.second_factor import totp

SECRET = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_of(SECRET, totp.step_at(seconds), digits=8) == code
    assert totp.code_of(SECRET, totp.step_at(seconds)) == code[2:]


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(steps: int, taken: bool) -> None:
    now = 1_700_000_000.0
    step = totp.step_at(now) + steps
    found = totp.step_of(SECRET, totp.code_of(SECRET, step), after=0, now=now)
    assert found == (step if taken else None)


def test_a_code_of_the_last_step_or_before_is_no_code(settings: object) -> None:
    now = 1_700_000_000.0
    here = totp.step_at(now)
    code = totp.code_of(SECRET, here)
    assert totp.step_of(SECRET, code, after=here - 1, now=now) == here
    assert totp.step_of(SECRET, code, after=here, now=now) is None


def test_the_key_and_the_address_say_the_same() -> None:
    assert totp.typed(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    address = totp.address(SECRET, account="a+b@school.example", issuer="Lessonadmin (school.example)")
    assert address == (
        "otpauth://totp/Lessonadmin%20%28school.example%29%3Aa%2Bb%40school.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lessonadmin%20%28school.example%29"
    )


def test_secrets_are_random_and_as_long_as_the_rfc_asks() -> None:
    assert len({totp.new_secret() for _ in range(50)}) == 50
    assert len(totp.new_secret()) == 20
