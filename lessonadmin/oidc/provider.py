"""What the provider says of itself: its discovery document and its keys, kept for a while in each process.

A token with a key that is not known makes the keys be read again, at most once a minute, so that a rotation of keys is followed
and a flood of invented keys is not.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lessonadmin import config
from lessonadmin.oidc import calls
from lessonadmin.oidc.errors import ProviderWrong

DOCUMENT_SECONDS = 3600.0
KEYS_SECONDS = 3600.0
NEW_KEYS_EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Document:
    """The addresses of the provider, checked."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    secret_in_form: bool  # the client proves itself in the form, not in the header


@dataclass
class _Kept:
    issuer: str = ""
    document: Document | None = None
    document_at: float = 0.0
    keys: KeySet | None = None
    keys_at: float = 0.0


_kept = _Kept()
_lock = threading.Lock()


def forget() -> None:
    """Ask for everything again."""
    global _kept
    _kept = _Kept()


def document() -> Document:
    """ProviderAway or ProviderWrong if there is none to be believed."""
    issuer = config.current().oidc_issuer or ""
    with _lock:
        kept = _of(issuer)
        if kept.document is None or time.monotonic() - kept.document_at > DOCUMENT_SECONDS:
            address = calls.check_address(get_well_known_url(issuer, external=True), "OIDC_ISSUER")
            kept.document = _checked(calls.get_json(address), issuer)
            kept.document_at = time.monotonic()
        return kept.document


def keys(*, unknown: bool = False) -> KeySet:
    """The public keys of the provider. `unknown`: a token names one that is not among those that are kept."""
    address = document().jwks_uri
    with _lock:
        kept = _of(config.current().oidc_issuer or "")
        age = time.monotonic() - kept.keys_at
        if kept.keys is None or age > KEYS_SECONDS or (unknown and age > NEW_KEYS_EVERY_SECONDS):
            kept.keys = _key_set(calls.get_json(address))
            kept.keys_at = time.monotonic()
        return kept.keys


def _of(issuer: str) -> _Kept:
    if _kept.issuer != issuer:
        forget()
        _kept.issuer = issuer
    return _kept


def _checked(found: dict[str, Any], issuer: str) -> Document:
    if found.get("issuer") != issuer:
        raise ProviderWrong("its discovery document is of another issuer than OIDC_ISSUER")
    try:
        metadata = OpenIDProviderMetadata(found)
        methods = metadata.token_endpoint_auth_methods_supported
        known = isinstance(methods, list) and all(isinstance(one, str) for one in methods)
    except (ValueError, TypeError) as error:
        raise ProviderWrong("its discovery document is not understood") from error
    return Document(
        issuer=issuer,
        authorization_endpoint=calls.check_address(
            found.get("authorization_endpoint"), "authorization_endpoint"
        ),
        token_endpoint=calls.check_address(found.get("token_endpoint"), "token_endpoint"),
        jwks_uri=calls.check_address(found.get("jwks_uri"), "jwks_uri"),
        secret_in_form=known and "client_secret_basic" not in methods and "client_secret_post" in methods,
    )


def _key_set(found: dict[str, Any]) -> KeySet:
    """Those that are understood, of public kinds only: a shared secret among them would be known to all."""
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise ProviderWrong("its keys are not understood")
    usable = []
    for one in listed:
        if (
            isinstance(one, dict)
            and one.get("kty") in ("RSA", "EC", "OKP")
            and one.get("use", "sig") == "sig"
        ):
            try:
                usable.append(KeySet.import_key_set({"keys": [one]}).keys[0])
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    if not usable:
        raise ProviderWrong("it has no key that is understood")
    return KeySet(usable)
