"""The address of captions that a person wrote opens for a quarter of an hour, while Mux is to fetch them, and nothing else."""

import uuid
from datetime import timedelta

import pytest

from lessonadmin import config
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.captions import text_address
from lessonadmin.domain.models import CaptionTrack
from tests.domain.captions.support import captioned, given_captions
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def signed(row: CaptionTrack) -> str:
    address = text_address.of(row.id)
    assert address.startswith(f"{config.current().public_url}/captions/{row.id}.")
    return address.rpartition("/")[2]


def own(state: str, *, text: str | None = "WEBVTT") -> CaptionTrack:
    row = given_captions(captioned(state))
    with transaction(CLI):
        row.webvtt = text
    db.session.expire_all()
    return row


@pytest.mark.parametrize(
    ("state", "opens"),
    [("asked", True), ("preparing", True), ("ready", False), ("failed", False), ("deleted", False)],
)
def test_it_opens_while_mux_is_to_fetch_them(state: str, opens: bool) -> None:
    assert text_address.text_at(signed(own(state))) == ("WEBVTT" if opens else None)


def test_captions_that_mux_made_are_behind_no_address() -> None:
    assert text_address.text_at(signed(own("preparing", text=None))) is None


def test_what_is_not_signed_too_old_or_changed_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    row, other = own("asked"), own("asked")
    address = signed(row)
    for wrong in (
        "",
        "x",
        str(row.id),
        address[:-1],
        address.replace(str(row.id), str(other.id)),
        f"{uuid.uuid4()}.a.b",
    ):
        assert text_address.text_at(wrong) is None
    monkeypatch.setattr(text_address, "LIVES_SECONDS", timedelta(seconds=-1).total_seconds())
    assert text_address.text_at(address) is None


def test_a_former_key_still_opens_and_the_newest_signs() -> None:
    row = own("asked")
    with overridden(secret_key="former key of the school, long enough"):
        address = signed(row)
    assert text_address.text_at(address) is None
    with overridden(secret_key_fallbacks=("former key of the school, long enough",)):
        assert text_address.text_at(address) == "WEBVTT"
        newest = signed(row)
    assert text_address.text_at(newest) == "WEBVTT"
