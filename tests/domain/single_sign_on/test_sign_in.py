"""A sign-in at a provider on a real socket: what its answer opens, once, and in the browser that was sent."""

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.accounts import sessions
from lessonadmin.domain.errors import Missing, Problem, Unavailable
from lessonadmin.domain.models import AuditLog, User, UserSession
from lessonadmin.domain.second_factor import entrance
from lessonadmin.domain.second_factor.entrance import Arrival, Browser
from lessonadmin.domain.single_sign_on import sign_in
from lessonadmin.domain.single_sign_on.people import NotAdmitted
from tests.factories import code_now, give_app, make_user
from tests.provider import Provider
from tests.settings import overridden

HERE = Browser("192.0.2.1", "Chrome/1 Linux")


def begin(school: Provider) -> dict[str, str]:
    """Sent to the provider and signed in there: the answer that the browser brings back."""
    location, state = sign_in.begin(address=HERE.address)
    answer = school.signs_in(location)
    assert answer["state"] == state
    return answer


def finish(answer: dict[str, str], **other: str) -> Arrival:
    given = {"error": "", "issuer": "", **answer, **other}
    return sign_in.finish(**given, browser=HERE)


def known(school: Provider, **columns: object) -> User:
    user = make_user(email="ada@school.example", **columns)
    school.person["email"] = user.email
    return user


def open_sessions(session: Session) -> int:
    return (
        session.scalar(select(func.count()).select_from(UserSession).where(UserSession.ended_at.is_(None)))
        or 0
    )


def test_an_answer_opens_a_session_and_says_the_way(school: Provider, session: Session) -> None:
    user = known(school)
    arrival = finish(begin(school))
    found = sessions.by_session(arrival.secret)
    assert not arrival.pending
    assert found is not None
    assert (found[0].id, found[1].way, found[1].second_factor) == (user.id, "single_sign_on", False)
    row = session.scalars(select(AuditLog).where(AuditLog.action == "user.signed_in")).one()
    assert (row.actor_id, row.detail["way"]) == (user.id, "single_sign_on")


def test_an_account_with_a_second_factor_is_asked_for_it_unless_the_provider_did(school: Provider) -> None:
    user = known(school)
    secret = give_app(user)
    arrival = finish(begin(school))
    assert arrival.pending
    found = sessions.by_session(entrance.by_code(arrival.secret, code_now(secret), browser=HERE))
    assert found is not None
    assert (found[1].way, found[1].second_factor) == ("single_sign_on", True)
    school.person["amr"] = ["pwd", "mfa"]
    arrival = finish(begin(school))
    found = sessions.by_session(arrival.secret)
    assert found is not None
    assert found[1].second_factor


def test_an_answer_counts_once(school: Provider, session: Session) -> None:
    known(school)
    answer = begin(school)
    assert finish(answer)
    with pytest.raises(sign_in.Refused):
        finish(answer)
    with pytest.raises(sign_in.Refused):
        finish({**begin(school), "state": answer["state"]})
    assert open_sessions(session) == 1


def test_of_two_at_once_one_opens(app: Flask, school: Provider, session: Session) -> None:
    known(school)
    answer = begin(school)
    start, found = threading.Barrier(3), []

    def one() -> None:
        with app.app_context():
            start.wait()
            try:
                finish(answer)
                found.append("opened")
            except Problem as problem:
                found.append(problem.type)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["opened", "single_sign_on_refused", "single_sign_on_refused"]
    assert open_sessions(session) == 1


def test_a_quarter_of_an_hour_is_the_most(school: Provider, session: Session) -> None:
    known(school)
    for minutes, opens in ((14, True), (16, False)):
        answer = begin(school)
        session.execute(
            text("UPDATE passkey_challenges SET created_at = created_at - make_interval(mins => :m)"),
            {"m": minutes},
        )
        session.commit()
        if opens:
            assert finish(answer)
        else:
            with pytest.raises(sign_in.Refused):
                finish(answer)


def test_the_code_of_one_sign_in_is_worth_nothing_in_another(school: Provider, session: Session) -> None:
    known(school)
    mine, stolen = begin(school), begin(school)
    with pytest.raises(sign_in.Refused):
        finish({**mine, "code": stolen["code"]})
    assert open_sessions(session) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"error": "access_denied"},
        {"code": ""},
        {"issuer": "https://evil.example"},
        {"code": "invented"},
        {"state": ""},
    ],
)
def test_an_answer_that_says_no_or_something_odd_opens_nothing(
    school: Provider, session: Session, other: dict[str, str]
) -> None:
    known(school)
    with pytest.raises(sign_in.Refused):
        finish(begin(school), **other)
    assert open_sessions(session) == 0


def test_the_issuer_in_the_answer_may_be_the_right_one(school: Provider) -> None:
    known(school)
    assert finish(begin(school), issuer=school.url)


def test_a_disabled_and_an_unknown_person_stay_out(school: Provider, session: Session) -> None:
    known(school, active=False)
    with pytest.raises(NotAdmitted):
        finish(begin(school))
    school.person |= {"sub": "new", "email": "new@school.example"}
    with pytest.raises(NotAdmitted):
        finish(begin(school))
    assert open_sessions(session) == 0


def test_a_provider_that_lies_or_is_away_opens_nothing(school: Provider, session: Session) -> None:
    known(school)
    school.lies = {"nonce": "of another sign-in"}
    with pytest.raises(sign_in.Refused) as caught:
        finish(begin(school))
    assert "ID token" in caught.value.why
    assert "ID token" not in caught.value.message
    school.trouble["/token"] = "503"
    with pytest.raises(Unavailable):
        finish(begin(school))
    assert open_sessions(session) == 0


def test_it_is_off_without_settings(session: Session) -> None:
    assert not sign_in.is_on()
    with pytest.raises(Missing):
        sign_in.begin(address="")
    with overridden(oidc_issuer=None), pytest.raises(Missing):
        finish({"state": "x", "code": "y"})
