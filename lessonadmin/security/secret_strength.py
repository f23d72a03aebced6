"""Which secrets are too weak for a school on the open internet: too short, or known from the simulator.

With Mux itself or an https address, an attacker who guesses a webhook secret changes states of videos, so such settings do not
start. A simulator on plain http is for trying out, and takes anything. No secret is ever quoted in what this says.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lessonadmin.config import Settings

SESSION_KEY_LENGTH = 32
WEBHOOK_SECRET_LENGTH = 16
# The simulator's defaults begin with the one, what `bin/run` makes for it with the other; both are public.
SIMULATORS = ("muxsim", "whsec_muxsim", "simulated-")
PUBLISHED = frozenset({"whsec_muxsim", "muxsim-high-secret", "muxsim-low-secret"})
HOW = (
    "make new ones with: python3 -c 'import secrets; print(secrets.token_hex(32))' "
    "(a webhook secret and a token: in Mux's dashboard)"
)


def complaint(settings: "Settings") -> str | None:
    """One sentence that names every weak secret, or None."""
    if not settings.mux_is_real and not settings.https:
        return None
    found = list(_weak(settings))
    if not found:
        return None
    return f"too weak for {'the real Mux' if settings.mux_is_real else 'https'}: {', '.join(found)}; {HOW}"


def _weak(settings: "Settings") -> Iterator[str]:
    if len(settings.secret_key) < SESSION_KEY_LENGTH:
        yield f"SECRET_KEY (fewer than {SESSION_KEY_LENGTH} characters)"
    if any(len(key) < SESSION_KEY_LENGTH for key in settings.secret_key_fallbacks):
        yield f"SECRET_KEY_FALLBACKS (one has fewer than {SESSION_KEY_LENGTH} characters)"
    if any(len(secret) < WEBHOOK_SECRET_LENGTH for secret in settings.mux_webhook_secrets):
        yield f"MUX_WEBHOOK_SECRETS (one has fewer than {WEBHOOK_SECRET_LENGTH} characters)"
    for name, values in _shared_with_mux(settings).items():
        if any(_of_the_simulator(value, settings) for value in values):
            yield f"{name} (of the simulator)"


def _shared_with_mux(settings: "Settings") -> dict[str, tuple[str, ...]]:
    return {
        "MUX_WEBHOOK_SECRETS": settings.mux_webhook_secrets,
        "MUX_TOKEN_ID": (settings.mux_token_id,),
        "MUX_TOKEN_SECRET": (settings.mux_token_secret,),
        "MUX_WORKER_TOKEN_ID": (settings.mux_worker_token_id,),
        "MUX_WORKER_TOKEN_SECRET": (settings.mux_worker_token_secret,),
        "SECRET_KEY": (settings.secret_key,),
        "SECRET_KEY_FALLBACKS": settings.secret_key_fallbacks,
    }


def _of_the_simulator(value: str, settings: "Settings") -> bool:
    """With Mux itself nothing of a simulator's is right; with a simulator only published secrets are wrong."""
    return value in PUBLISHED or (settings.mux_is_real and value.startswith(SIMULATORS))
