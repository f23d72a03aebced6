"""Reading an ID token: signed by a key of the provider, of this issuer, for this client, for this sign-in, and not too old.

Only signatures of public keys count: an unsigned token proves nothing, and a shared secret would be known to the browser's side.
"""

from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from lessonadmin import config
from lessonadmin.oidc import provider
from lessonadmin.oidc.errors import ProviderWrong

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_SECONDS = 60
MAX_LENGTH = 32_768
MAX_SUBJECT_LENGTH = 255


@dataclass(frozen=True)
class Claims:
    """What the provider says of the person who signed in there."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    all: dict[str, Any]

    @property
    def second_factor(self) -> bool:
        """Did the provider ask for several factors (mfa of RFC 8176)?"""
        return "mfa" in (self.all.get("amr") or ())


def read(token: object, *, nonce: str, access_token: object) -> Claims:
    """ProviderWrong for everything that is not to be believed."""
    if not isinstance(token, str) or not 0 < len(token) <= MAX_LENGTH:
        raise ProviderWrong("its answer has no ID token")
    try:
        verified = _verified(token)
        claims = CodeIDToken(
            verified.claims,
            verified.header,
            options={
                "iss": {"essential": True, "value": provider.document().issuer},
                "aud": {"essential": True, "value": config.current().oidc_client_id},
            },
            params={
                "nonce": nonce,
                "client_id": config.current().oidc_client_id,
                "access_token": access_token if isinstance(access_token, str) else None,
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderWrong(f"its ID token is refused ({type(error).__name__})") from error
    return _claims(verified.claims)


def _verified(token: str) -> jwt.Token:
    """The token, if one of the provider's keys has signed it; the keys are read again if its key is not known."""
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
    named = jws.extract_compact(token.encode()).headers().get("kid")
    known = provider.keys()
    if named is not None and named not in {key.kid for key in known.keys}:
        known = provider.keys(unknown=True)
    return jwt.decode(token, known, algorithms=list(ALGORITHMS), registry=registry)


def _claims(found: dict[str, Any]) -> Claims:
    subject, email, name = (found.get(key) for key in ("sub", "email", "name"))
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        raise ProviderWrong("its ID token has no subject")
    return Claims(
        issuer=found["iss"],
        subject=subject,
        email=email if isinstance(email, str) else "",
        email_verified=found.get("email_verified") is True,
        name=name if isinstance(name, str) else "",
        all=found,
    )
