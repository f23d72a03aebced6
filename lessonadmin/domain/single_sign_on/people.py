"""Whose account a person of the provider has, and which role the provider gives them.

An account is joined once, by an address that the provider has verified, and from then on by issuer and subject: an address that is
given to another person later opens nothing. A claim gives the roles student, instructor and support; it never makes an admin, and
an admin's account keeps its role whatever the claim says.
"""

from sqlalchemy import func, select

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.accounts import account_notices, users
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Forbidden
from lessonadmin.domain.models import ProviderIdentity, User
from lessonadmin.oidc.id_token import Claims
from lessonadmin.security import provider_settings


class NotAdmitted(Forbidden):
    """The provider knows them and this server does not let them in. The sentence is for the person."""

    def __init__(self, type_: str, sentence: str) -> None:
        super().__init__(type_, sentence)


def account_for(claims: Claims) -> User:
    """The account of this person, joined or made if the rules allow it, with the role that the provider gives. NotAdmitted otherwise."""
    identity = _known(claims)
    if identity is None:
        user = _by_address(claims)
        identity = _join(user, claims)
    else:
        user = db.session.get_one(User, identity.user_id, populate_existing=True)
    if not user.active:
        raise NotAdmitted(
            "account_disabled", "Your account here is disabled. Ask an administrator of your school."
        )
    identity.last_used_at = func.clock_timestamp()
    role = _role_of(claims)
    if role is not None and user.role != "admin":
        users.set_role(user, role)
    return user


def _known(claims: Claims) -> ProviderIdentity | None:
    named = (ProviderIdentity.issuer == claims.issuer, ProviderIdentity.subject == claims.subject)
    return db.session.scalar(select(ProviderIdentity).where(*named).with_for_update())


def _by_address(claims: Claims) -> User:
    if not claims.email or not claims.email_verified:
        raise NotAdmitted(
            "address_not_verified",
            "Your e-mail address is not verified where you signed in, so it does not prove whose account this is. "
            "Ask an administrator of your school.",
        )
    user = users.find_by_email(claims.email)
    if user is not None:
        return user
    if config.current().oidc_new_people == "refused":
        raise NotAdmitted(
            "no_account", "There is no account for you here yet. Ask an administrator of your school."
        )
    role = _role_of(claims) or "student"
    return users.create_user(email=claims.email, role=role, name=claims.name[: users.MAX_NAME_LENGTH])


def _join(user: User, claims: Claims) -> ProviderIdentity:
    db.session.refresh(user, with_for_update={"key_share": True})
    made_meanwhile = _known(claims)
    if made_meanwhile is not None and made_meanwhile.user_id == user.id:
        return made_meanwhile
    mine = (ProviderIdentity.user_id == user.id, ProviderIdentity.issuer == claims.issuer)
    if db.session.scalar(select(ProviderIdentity.id).where(*mine)) is not None:
        raise NotAdmitted(
            "joined_to_another",
            "The account with your e-mail address belongs to another sign-in of your school. Ask an administrator.",
        )
    identity = ProviderIdentity(user_id=user.id, issuer=claims.issuer, subject=claims.subject)
    db.session.add(identity)
    db.session.flush()
    audit_log.record("user.single_sign_on_joined", user, issuer=claims.issuer, subject=claims.subject)
    name = config.current().oidc_name
    account_notices.sign_in_methods_changed(user, f"Your account can now be opened by {name}.")
    return identity


def leave(user: User) -> bool:
    """The provider opens this account no more, until it is joined again by its address. False if it was not joined."""
    gone = db.session.scalars(select(ProviderIdentity).where(ProviderIdentity.user_id == user.id)).all()
    for identity in gone:
        db.session.delete(identity)
        audit_log.record("user.single_sign_on_left", user, issuer=identity.issuer, subject=identity.subject)
    db.session.flush()
    return bool(gone)


def _role_of(claims: Claims) -> str | None:
    """The strongest role that a value of the claim means; None if none means any."""
    settings = config.current()
    said = claims.all.get(settings.oidc_role_claim or "")
    values = (
        {said}
        if isinstance(said, str)
        else {one for one in said if isinstance(one, str)}
        if isinstance(said, list)
        else set()
    )
    found = {role for value, role in settings.oidc_roles if value in values}
    return max(found, key=provider_settings.ROLES.index, default=None)
