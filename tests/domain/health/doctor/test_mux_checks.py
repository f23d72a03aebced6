"""Doctor: wrong tokens, missing permissions, two environments and signing keys are found and said."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text

from lessonadmin.db import db
from muxsim.options import ENVIRONMENT, Token
from muxsim.server import Simulator
from muxsim.webhooks.events import environment_id
from tests.doctor import examined
from tests.factories import make_event, make_lesson, make_playing_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden

OURS = environment_id(ENVIRONMENT)


@pytest.mark.parametrize(
    ("setting", "name"),
    [("mux_token_secret", "web token"), ("mux_worker_token_secret", "worker token")],
)
def test_a_wrong_token(well: MuxSim, setting: str, name: str) -> None:
    with overridden(**{setting: "wrong"}):
        lines = examined()
    assert lines[name].level == "FAIL"
    assert sum(line.level == "FAIL" for line in lines.values()) == 1


def test_one_token_for_both(well: MuxSim) -> None:
    with overridden(mux_worker_token_id="web-token", mux_worker_token_secret="web-secret"):
        line = examined()["worker token"]
    assert (line.level, "low-priority" in line.todo) == ("warn", True)


def test_mux_is_away(well: MuxSim) -> None:
    with overridden(mux_api_url="http://127.0.0.1:1"):
        line = examined()["web token"]
    assert (line.level, "could not be reached" in line.says) == ("FAIL", True)


TOGETHER = "tokens' environment"


def test_mux_says_whose_the_tokens_are_and_what_they_may_do(well: MuxSim) -> None:
    lines = examined()
    assert lines[TOGETHER].says == (
        f"Both tokens are of the Mux environment “{ENVIRONMENT}” ({OURS}), where the events come from."
    )
    for name in ("web token", "worker token"):
        assert lines[name].says.startswith("It may read and write videos; "), lines[name]


@pytest.mark.parametrize(("token", "name"), [("web-token", "web token"), ("worker-token", "worker token")])
def test_a_missing_permission_is_named_with_what_it_is_for(well: MuxSim, token: str, name: str) -> None:
    well.control.set_permissions(token, ["video:read", "system:read", "data:read"])
    line = examined()[name]
    assert (line.level, line.says) == (
        "FAIL",
        "It lacks a permission: video:write (to make uploads and to delete videos).",
    )
    well.control.set_permissions(token, ["video:read", "video:write"])
    line = examined()[name]
    assert line.level == "ok"
    assert "without system:read (to ask whether Mux knows the signing key)" in line.says
    assert "data:read (to read figures of Mux Data)" in line.says


def test_the_webhooks_come_from_another_environment_than_the_tokens(well: MuxSim) -> None:
    make_event(environment_id="elsewhere", outcome="applied")
    line = examined()[TOGETHER]
    assert (line.level, "the events about the videos here come from elsewhere" in line.says) == ("FAIL", True)


def test_events_of_others_say_nothing_of_where_our_videos_are(well: MuxSim) -> None:
    make_event(environment_id="elsewhere", outcome="ignored")
    assert examined()[TOGETHER].level == "ok"


@contextmanager
def another_environment(name: str) -> Iterator[str]:
    """One more Mux, where the tokens are of two environments."""
    tokens = [Token("web-token", "web-secret"), Token("worker-token", "worker-secret", "low", name)]
    with Simulator(tokens=tokens, rate_limits=False) as simulator:
        yield simulator.url


def test_tokens_of_two_environments(well: MuxSim) -> None:
    with another_environment("Production") as url, overridden(mux_api_url=url):
        line = examined()[TOGETHER]
    assert line.level == "FAIL"
    assert f"“{ENVIRONMENT}” ({OURS}), the worker token of “Production”" in line.says


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_mux_does_not_say_it_is_concluded_from_what_the_tokens_see(well: MuxSim, status: int) -> None:
    well.control.fault("api", "status", match={"operation": "whoami"}, status=status)
    line = examined()[TOGETHER]
    assert line.says == (
        "Both tokens see the same videos. Mux does not say whose the tokens are; this is inferred from the"
        " videos they can see."
    )
    make_playing_lesson()
    lines = examined()
    assert lines[TOGETHER].level == "FAIL"
    assert lines["web token"].says.startswith("It may read; ")
    assert lines["clock skew"].level == "ok"


def test_before_the_first_event_the_videos_are_compared(well: MuxSim) -> None:
    db.session.execute(text("DELETE FROM mux_events"))
    db.session.commit()
    make_playing_lesson()
    assert "no event has arrived yet" in examined()[TOGETHER].says
    assert examined()["tokens' environment"].level == "FAIL"
    well.control.seed_assets(1, policy="public", status="ready")
    assert examined()["tokens' environment"].level == "warn"
    well.uploaded(make_lesson())
    well.deliver()
    assert examined()["tokens' environment"].level == "ok"


def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def test_signing_keys(well: MuxSim) -> None:
    known = well.control.create_signing_key()
    good = {"mux_signing_key_id": known["id"], "mux_signing_private_key": known["private_key"]}
    with overridden(**good):
        assert "Mux knows it" in examined()["signing keys"].says
    with overridden(**(good | {"mux_signing_key_id": "unknown", "mux_signing_private_key": pem()})):
        assert examined()["signing keys"].level == "FAIL"
    with overridden(**(good | {"mux_signing_private_key": "no key"})):
        assert examined()["signing keys"].level == "FAIL"
    well.control.set_switch("system_permission", False)
    with overridden(**good):
        line = examined()["signing keys"]
    assert (line.level, "System permission" in line.says) == ("ok", True)


def test_selling_what_every_visitor_can_watch(well: MuxSim) -> None:
    for _ in range(2):
        make_playing_lesson(price_cents=900)
    make_playing_lesson()
    make_playing_lesson(price_cents=900, playback_policy="signed")
    make_playing_lesson(price_cents=900, status="draft", published_at=None)
    line = examined()["signing keys"]
    assert (line.level, "2 lessons that cost something play by a public id" in line.says) == ("warn", True)
    assert "reconcile" in line.todo
    known = well.control.create_signing_key()
    with overridden(mux_signing_key_id=known["id"], mux_signing_private_key=known["private_key"]):
        lines = examined()
    assert lines["signing keys"].level == "ok"
    assert (lines["paid lessons"].level, "2 lessons" in lines["paid lessons"].says) == ("warn", True)
