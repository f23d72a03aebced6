"""The two halves of a sign-in at the provider: where the browser is sent, and what its answer is exchanged for.

Authorization code with PKCE (S256), state and nonce. The secrets of one sign-in are made of one random text, which the server keeps.
"""

import base64
import hashlib
from dataclasses import dataclass

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from lessonadmin import config
from lessonadmin.oidc import calls, id_token, provider
from lessonadmin.oidc.errors import ProviderWrong

SCOPE = "openid email profile"
ANSWER_PATH = "/login/single-sign-on/answer"
MAX_CODE_LENGTH = 4096


@dataclass(frozen=True)
class Secrets:
    """Of one sign-in: the nonce comes back in the ID token, the verifier is shown when the code is exchanged."""

    nonce: str
    verifier: str

    @classmethod
    def of(cls, random: bytes) -> "Secrets":
        return cls(_text(b"nonce:", random), _text(b"verifier:", random))


def _text(purpose: bytes, random: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(purpose + random).digest()).decode().rstrip("=")


def address(secrets: Secrets, *, state: str) -> str:
    """Where the browser is sent."""
    settings = config.current()
    return str(
        prepare_grant_uri(
            provider.document().authorization_endpoint,
            settings.oidc_client_id,
            "code",
            redirect_uri=_answer_address(),
            scope=SCOPE,
            state=state,
            nonce=secrets.nonce,
            code_challenge=create_s256_code_challenge(secrets.verifier),
            code_challenge_method="S256",
        )
    )


def claims_for(code: str, secrets: Secrets) -> id_token.Claims:
    """Whom the provider says that it signed in."""
    if not 0 < len(code) <= MAX_CODE_LENGTH:
        raise ProviderWrong("its answer has no code")
    settings, said = config.current(), provider.document()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _answer_address(),
        "code_verifier": secrets.verifier,
    }
    client = settings.oidc_client_id or "", settings.oidc_client_secret or ""
    if said.secret_in_form:
        form |= {"client_id": client[0], "client_secret": client[1]}
    answer = calls.post_form(said.token_endpoint, form, basic=None if said.secret_in_form else client)
    return id_token.read(answer.get("id_token"), nonce=secrets.nonce, access_token=answer.get("access_token"))


def _answer_address() -> str:
    return config.current().public_url + ANSWER_PATH
