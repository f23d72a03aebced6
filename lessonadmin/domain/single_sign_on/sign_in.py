"""A sign-in at the provider: where the browser is sent, and what its answer opens here.

The answer counts in the browser that was sent, once. It opens what a right password opens: a session, or a pending sign-in for an account with a
second factor, unless the provider says that it asked for several (mfa).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from lessonadmin import config
from lessonadmin.database import row_access
from lessonadmin.db import UNKNOWN_USER, Actor, db, transaction
from lessonadmin.domain.errors import Invalid, Missing, Unavailable
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import challenges, entrance
from lessonadmin.domain.second_factor.entrance import Arrival, Browser
from lessonadmin.domain.single_sign_on import people
from lessonadmin.domain.single_sign_on.people import NotAdmitted
from lessonadmin.oidc import calls, exchange
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong
from lessonadmin.oidc.exchange import Secrets
from lessonadmin.oidc.id_token import Claims

log = logging.getLogger(__name__)


class Refused(Invalid):
    """The answer proves nothing here. `why` is for the log."""

    def __init__(self, why: str, sentence: str = "") -> None:
        general = "The sign-in did not work. Please begin again on the sign-in page of this site."
        super().__init__("single_sign_on_refused", sentence or general)
        self.why = why


def is_on() -> bool:
    return config.current().oidc_issuer is not None


def begin(*, address: str) -> tuple[str, str]:
    """Where the browser is sent, and the state that it has to come back with."""
    if not is_on():
        raise Missing
    with _provider():
        with transaction(UNKNOWN_USER):
            state, random = challenges.begin("single_sign_on", address=address)
        return exchange.address(Secrets.of(random), state=state), state


def finish(*, state: str, code: str, error: str, issuer: str, browser: Browser) -> Arrival:
    """What the answer opens. `state` is that of the cookie, which the answer had as well."""
    if not is_on():
        raise Missing
    with transaction(UNKNOWN_USER):
        random = challenges.take(state, "single_sign_on")
    if random is None:
        raise Refused(
            "unknown, used or late state", "That took too long, or it was done already. Please begin again."
        )
    if issuer and issuer != config.current().oidc_issuer:
        raise Refused("the answer names another issuer")
    if error or not code:
        raise Refused(
            f"the provider says {error[:60]!r}", f"You were not signed in by {config.current().oidc_name}."
        )
    with _provider():
        claims = exchange.claims_for(code, Secrets.of(random))
    # A role that the provider takes away withdraws uploads, of lessons that a request without a user does not see.
    with row_access.everything(), transaction(UNKNOWN_USER):
        user_id = people.account_for(claims).id
    with transaction(Actor.user(user_id)):
        return _arrive(db.session.get_one(User, user_id), claims, browser)


def _arrive(user: User, claims: Claims, browser: Browser) -> Arrival:
    db.session.refresh(user, with_for_update={"read": True})
    if not user.active:
        raise NotAdmitted(
            "account_disabled", "Your account here is disabled. Ask an administrator of your school."
        )
    return entrance.arrive(user, way="single_sign_on", browser=browser, proved=claims.second_factor)


@contextmanager
def _provider() -> Iterator[None]:
    """Around calls to the provider: its failures in the words of this package."""
    try:
        with calls.one_of_few():
            yield
    except ProviderAway as error:
        log.warning("single sign-on: the provider is away: %s", error)
        name = config.current().oidc_name
        sentence = f"{name[:1].upper()}{name[1:]} does not answer right now. Sign in another way, or try again in a moment."
        raise Unavailable("single_sign_on_away", sentence, retry_after=10, for_support=True) from error
    except ProviderWrong as error:
        log.warning("single sign-on: the provider cannot be believed: %s", error)
        raise Refused(str(error)) from error
