"""Signs a webhook as Mux does, with the simulator's own hand: the product only verifies."""

from muxsim.webhooks.delivery import sign


def signature(body: bytes, secret: str, *, now: float) -> str:
    """The header `Mux-Signature`."""
    return sign(secret, int(now), body)
