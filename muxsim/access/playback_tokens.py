"""Playback tokens: who may have a video, a thumbnail, a storyboard or a GIF of a signed playback id."""

from typing import Any
from urllib.parse import urlsplit

import jwt

from muxsim.errors import MuxError
from muxsim.store import Doc

DENIED = "The playback token is missing, wrong or has expired."


def claims_of(token: str, *, playback_id: str, audience: str, public_pem_of: Any, now: float) -> Doc:
    """The claims of a token that fits; otherwise Mux's 403, which does not say why."""
    try:
        loose = jwt.decode(token, options={"verify_signature": False})
        key_id = loose.get("kid") or jwt.get_unverified_header(token).get("kid")
        pem = public_pem_of(key_id) if isinstance(key_id, str) else None
        if pem is None:
            raise MuxError(403, DENIED)
        claims: Doc = jwt.decode(
            token, pem, algorithms=["RS256"], audience=audience,
            options={"require": ["sub", "aud", "exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )  # fmt: skip
        expires = float(claims["exp"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MuxError(403, DENIED) from error
    if claims["sub"] != playback_id or expires <= now:
        raise MuxError(403, DENIED)
    return claims


def check_restriction(rules: Doc | None, *, referrer: str | None, user_agent: str | None) -> None:
    """A token that names a playback restriction works only where the restriction allows."""
    if rules is None:
        raise MuxError(403, DENIED)
    if not user_agent and not rules["user_agent"]["allow_no_user_agent"]:
        raise MuxError(403, DENIED)
    host = urlsplit(referrer or "").hostname
    if host is None:
        allowed = rules["referrer"]["allow_no_referrer"]
    else:
        allowed = any(_covers(domain, host) for domain in rules["referrer"]["allowed_domains"])
    if not allowed:
        raise MuxError(403, DENIED)


def _covers(domain: str, host: str) -> bool:
    return domain == "*" or domain == host or (domain.startswith("*.") and host.endswith(domain[1:]))
