"""The signature zoo: what Mux signs passes, whatever else arrives is refused with a reason and never an error."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux import BadSignature, verify
from tests.cases import each_of
from tests.signing import signature

SECRET = "whsec_test_0123456789"
BODY = (
    b'{"type":"video.asset.ready","id":"3a56ac3d-33da-4366-855b-f592d898409d",'
    b'"data":{"id":"asset1","status":"ready"}}'
)
AT = 1_700_000_000
GOOD = "9e0bd5dd41cced44aa433a6e8bc4d154c8b0754bbb818f69f2fc0211dbf7d772"
HEADER = f"t={AT},v1={GOOD}"
HINT = hashlib.sha256(SECRET.encode()).hexdigest()[-4:]


def reason(
    header: str | bytes | None, *, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: float = AT
) -> str:
    with pytest.raises(BadSignature) as caught:
        verify(header, body, secrets, now=now)
    return caught.value.reason


def test_the_published_vector_passes_and_names_the_secret_without_showing_it() -> None:
    assert verify(HEADER, BODY, [SECRET], now=AT) == HINT
    assert HINT not in SECRET


def test_the_simulator_signs_as_the_vector_does() -> None:
    assert signature(BODY, SECRET, now=AT + 0.7) == HEADER


@pytest.mark.parametrize(
    "header",
    [
        HEADER.encode(),
        f"v1={GOOD},t={AT}",
        f"t={AT},v1={'0' * 64},v1={GOOD}",
        f"t={AT},v1={GOOD},v1=nothing",
        f"t={AT},v0=whatever,v1={GOOD},v2=é",
        f"t={AT},v1={GOOD},",
        f"t={AT},, ,v1={GOOD}",
    ],
)
def test_forms_that_pass(header: str | bytes) -> None:
    assert verify(header, BODY, [SECRET], now=AT) == HINT


def test_any_of_several_secrets_may_have_signed() -> None:
    for signer in ("old", "new"):
        hint = verify(signature(BODY, signer, now=AT), BODY, ["new", "old"], now=AT)
        assert hint == hashlib.sha256(signer.encode()).hexdigest()[-4:]


@pytest.mark.parametrize("header", [None, "", " ", b"", "\t"])
def test_missing(header: str | bytes | None) -> None:
    assert reason(header) == "missing"


@each_of(
    "header",
    [
        "nonsense",
        GOOD,
        f"v1={GOOD}",
        f"t={AT}",
        f"t=,v1={GOOD}",
        f"t,v1={GOOD}",
        f"t=-{AT},v1={GOOD}",
        f"t=+{AT},v1={GOOD}",
        f"t={AT}.0,v1={GOOD}",
        f"t=1e9,v1={GOOD}",
        f"t=0x5,v1={GOOD}",
        f"t= {AT},v1={GOOD}",
        f"t={AT} ,v1={GOOD}",
        f"t={'9' * 5000},v1={GOOD}",
        f"t={'9' * 13},v1={GOOD}",
        f"t=١٧٠٠٠٠٠٠٠٠,v1={GOOD}",
        f"t={AT},t={AT},v1={GOOD}",
        f"t={AT},t={AT + 1},v1={GOOD}",
        f"t={AT}, v1={GOOD}",
        f" t={AT},v1={GOOD}",
        f"T={AT},v1={GOOD}",
        f"t={AT},V1={GOOD}",
        f"t={AT};v1={GOOD}",
        f"t={AT},v2={GOOD}",
        f"t={AT}" + f",v1={GOOD}" * 17,
        f"t={AT},x={'a' * 5000},v1={GOOD}",
        "ü=ü",
        b"\xff\xfe\x00",
        "\ud800",
    ],
)
def test_malformed(header: str | bytes) -> None:
    assert reason(header) == "malformed"


@each_of(
    "header",
    [
        f"t={AT},v1={GOOD.upper()}",
        f"t={AT},v1={GOOD} ",
        f"t={AT},v1= {GOOD}",
        f"t={AT},v1={GOOD[:-1]}",
        f"t={AT},v1={GOOD}0",
        f"t={AT},v1=",
        f"t={AT},v1=é{GOOD[1:]}",
        f"t={AT},v1=é{GOOD[1:]}".encode("latin-1"),
        f"t={AT},v1=\ud800",
        f"t={AT + 1},v1={GOOD}",
        f"t=0{AT},v1={GOOD}",
    ],
)
def test_mismatch(header: str | bytes) -> None:
    assert reason(header) == "mismatch"


def test_one_other_byte_in_the_body_is_a_mismatch() -> None:
    assert reason(HEADER, body=BODY + b"\n") == "mismatch"
    assert reason(HEADER, body=BODY.replace(b"asset1", b"asset2")) == "mismatch"


@pytest.mark.parametrize("secrets", [(), ("",), ("other",), (SECRET.upper(),), (SECRET + " ",)])
def test_without_the_right_secret_nothing_passes(secrets: tuple[str, ...]) -> None:
    assert reason(HEADER, secrets=secrets) == "mismatch"


def test_an_empty_secret_never_verifies() -> None:
    assert reason(signature(BODY, "", now=AT), secrets=("", SECRET)) == "mismatch"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (AT + 300, None),
        (AT - 300, None),
        (AT + 301, "stale"),
        (AT - 301, "future"),
        (AT + 10**9, "stale"),
        (0.0, "future"),
    ],
)
def test_five_minutes_either_way(now: float, expected: str | None) -> None:
    if expected is None:
        assert verify(HEADER, BODY, [SECRET], now=now) == HINT
    else:
        assert reason(HEADER, now=now) == expected


def test_only_what_was_truly_signed_counts_as_stale() -> None:
    assert reason(f"t={AT},v1={'0' * 64}", now=AT + 9999) == "mismatch"


def test_the_reason_never_holds_the_secret() -> None:
    with pytest.raises(BadSignature) as caught:
        verify(HEADER, b"other", [SECRET], now=AT)
    assert SECRET not in str(caught.value)


@given(
    header=st.one_of(st.none(), st.text(), st.binary(), st.from_regex(r"t=.{0,20},v1=.{0,70}")),
    body=st.binary(),
)
def test_whatever_the_header_holds_it_is_refused_with_a_reason(
    header: str | bytes | None, body: bytes
) -> None:
    with pytest.raises(BadSignature) as caught:
        verify(header, body, [SECRET], now=AT)
    assert caught.value.reason in {"missing", "malformed", "stale", "future", "mismatch"}


@given(body=st.binary(), secret=st.text(min_size=1), now=st.integers(0, 10**11))
def test_what_we_sign_we_accept(body: bytes, secret: str, now: int) -> None:
    assert len(verify(signature(body, secret, now=now), body, [secret], now=now)) == 4
