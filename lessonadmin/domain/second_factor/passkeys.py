"""Passkeys (WebAuthn): what browsers are asked, what they answer, and the rows of the keys.

An answer counts for this site's name and origin, for the challenge that was asked, and for a key of the account; a counter that did not go
on is refused, because then the key was copied. The private half never leaves its device, and no attestation is asked for: every
authenticator is welcome. Whose challenge it is, `challenges` knows.
"""

import hashlib
import ipaddress
import json
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, func, select
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Passkey, User
from lessonadmin.text.texts import one_line

MAX_PASSKEYS = 20
MAX_NAME_LENGTH = 60
MAX_ANSWER_LENGTH = 20_000
TIMEOUT_MS = 300_000
DEFAULT_PORTS = {"https": 443, "http": 80}


class Refused(Invalid):
    """An answer that proves nothing. Why is not told: who sends a right one needs no reason."""

    def __init__(self) -> None:
        super().__init__(
            "passkey_refused", "The passkey was not accepted. Please try again, or sign in another way."
        )


class Copied(Refused):
    """The counter of the key did not go on: another device has used the same key."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__()
        self.user_id, self.name = passkey.user_id, passkey.name


@dataclass(frozen=True)
class Site:
    """As browsers know it: the name that passkeys belong to, and the origin that answers name."""

    name: str
    origin: str


def site() -> Site | None:
    """None where browsers have no passkeys: on an address without a name. Of this machine the name is localhost."""
    parts = urlsplit(config.current().public_url)
    host = parts.hostname or ""
    try:
        if not ipaddress.ip_address(host).is_loopback:
            return None
        host = "localhost"
    except ValueError:
        host = host.encode("idna").decode()
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return Site(host, f"{parts.scheme}://{host}{port}")


def _site() -> Site:
    found = site()
    if found is None:
        raise Conflict("no_passkeys", "Passkeys need a site with a name; this one has a number only.")
    return found


def of(user_id: uuid.UUID) -> list[Passkey]:
    return list(db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def options_to_add(user: User, challenge: bytes) -> str:
    """What the browser is asked to make, as JSON."""
    known = of(user.id)
    if len(known) >= MAX_PASSKEYS:
        raise Conflict(
            "too_many_passkeys", f"You have {MAX_PASSKEYS} passkeys, which is the most. Remove one first."
        )
    options = webauthn.generate_registration_options(
        rp_id=_site().name,
        rp_name="Lessonadmin",
        user_id=_handle(known, challenge),
        user_name=user.email,
        user_display_name=user.name or user.email,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
    )
    return webauthn.options_to_json(options)


def _handle(known: list[Passkey], challenge: bytes) -> bytes:
    """By what a key will name the account: what its other keys do, or as random as the challenge of the first one."""
    return known[0].user_handle if known else hashlib.sha256(b"user handle:" + challenge).digest()


def options_to_prove(challenge: bytes, *, known: list[Passkey] | None = None) -> str:
    """What the browser is asked to sign, as JSON: by any key of this site that it has, or by one of these."""
    alone = known is None
    needed = UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED
    options = webauthn.generate_authentication_options(
        rp_id=_site().name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=_descriptors(known or []),
        user_verification=needed,
    )
    return webauthn.options_to_json(options)


def _descriptors(known: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential_id) for one in known]


def add(user: User, answer: str, challenge: bytes, *, name: str) -> Passkey:
    """Keep the key that a browser has made for this account, which is held."""
    here = _site()
    try:
        made = webauthn.verify_registration_response(
            credential=_parsed(answer),
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
            require_user_verification=True,
        )
    except Exception as error:  # whatever the package makes of foreign bytes
        raise Refused from error
    if db.session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)):
        raise Refused
    known = of(user.id)
    passkey = Passkey(
        user_id=user.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        user_handle=_handle(known, challenge),
        sign_count=made.sign_count,
        name=check_name(name) or f"Passkey {len(known) + 1}",
    )
    db.session.add(passkey)
    db.session.flush()
    return passkey


def owner_of(answer: str) -> uuid.UUID | None:
    """Whose key an answer names; nothing of it is proved yet."""
    try:
        named = parse_authentication_credential_json(_parsed(answer)).raw_id
    except Exception:  # whatever the package makes of foreign bytes
        return None
    return db.session.scalar(select(Passkey.user_id).where(Passkey.credential_id == named))


def prove(user: User, answer: str, challenge: bytes, *, alone: bool) -> Passkey:
    """The key of this account that has signed the challenge; Refused if none has.

    `alone`: it is the only proof, so it must have verified its user (by finger, face or PIN) and know whose account it is.
    """
    try:
        given = parse_authentication_credential_json(_parsed(answer))
    except Exception as error:  # whatever the package makes of foreign bytes
        raise Refused from error
    mine = select(Passkey).where(Passkey.user_id == user.id, Passkey.credential_id == given.raw_id)
    passkey = db.session.scalar(mine.with_for_update(), execution_options={"populate_existing": True})
    handle = given.response.user_handle or None
    if passkey is None or (handle is None and alone) or (handle and handle != passkey.user_handle):
        raise Refused
    here = _site()
    try:
        proof = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=here.name,
            expected_origin=here.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared below, where going back is told from other faults
            require_user_verification=alone,
        )
    except Exception as error:  # whatever the package makes of foreign bytes
        raise Refused from error
    if (proof.new_sign_count or passkey.sign_count) and proof.new_sign_count <= passkey.sign_count:
        raise Copied(passkey)
    passkey.sign_count = proof.new_sign_count
    passkey.last_used_at = func.clock_timestamp()
    db.session.flush()
    return passkey


def _parsed(answer: str) -> dict[str, object]:
    if len(answer) > MAX_ANSWER_LENGTH:
        raise Refused
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise Refused
    return found


def check_name(name: str) -> str:
    name = one_line(name)
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid.field("name", f"Use at most {MAX_NAME_LENGTH} characters for the name.")
    return name


def rename(user: User, passkey_id: uuid.UUID, name: str) -> bool:
    """False if they have no such passkey."""
    passkey = db.session.get(Passkey, passkey_id)
    if passkey is None or passkey.user_id != user.id:
        return False
    passkey.name = check_name(name) or passkey.name
    db.session.flush()
    return True


def remove(user: User, passkey_id: uuid.UUID) -> str | None:
    """Its name; None if they have no such passkey."""
    gone = delete(Passkey).where(Passkey.user_id == user.id, Passkey.id == passkey_id)
    return db.session.scalar(gone.returning(Passkey.name))


def remove_all(user: User) -> None:
    db.session.execute(delete(Passkey).where(Passkey.user_id == user.id))
