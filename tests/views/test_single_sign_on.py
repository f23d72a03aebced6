"""Single sign-on over HTTP: the button, the way there and back, and the page when it opens nothing."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lessonadmin.domain.models import ErrorReference
from lessonadmin.oidc import provider
from tests.factories import code_now, give_app, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.provider import Provider, running, settings_for
from tests.settings import overridden

BEGIN, ANSWER = "/login/single-sign-on", "/login/single-sign-on/answer"


@pytest.fixture
def school(app: Flask) -> Iterator[Provider]:
    provider.forget()
    with running() as found, overridden(**settings_for(found), oidc_name="the Example School"):
        found.person["email"] = "ada@school.example"
        yield found
    provider.forget()


def there(browser: FlaskClient, school: Provider, next_: str = "") -> dict[str, str]:
    sent = browser.get(BEGIN, query_string={"next": next_} if next_ else {})
    assert sent.status_code == 302
    return school.signs_in(sent.location)


def back(browser: FlaskClient, answer: dict[str, str]) -> TestResponse:
    return browser.get(ANSWER, query_string=answer)


def test_there_and_back_to_where_one_wanted(client: FlaskClient, school: Provider) -> None:
    make_user(email="ada@school.example")
    page = page_of(client.get("/login?next=/lessons?q%3Dbread"))
    assert "Sign in with the Example School" in page.text("main")
    (link,) = [one["href"] for one in page.all("a") if (one["href"] or "").startswith(BEGIN)]
    answer = school.signs_in(client.get(link or "").location)
    done = back(client, answer)
    assert (done.status_code, done.location) == (302, "/lessons?q=bread")
    assert client.get("/lessons").status_code == 200
    out = client.post("/logout", data={"csrf_token": csrf_of(client, "/account")})
    assert "You may still be signed in at the Example School" in page_of(client.get(out.location)).text()


def test_who_signs_in_by_password_hears_nothing_of_the_provider(app: Flask, school: Provider) -> None:
    browser = signed_in(make_user())
    out = browser.post("/logout", data={"csrf_token": csrf_of(browser, "/account")})
    assert "still be signed in" not in page_of(browser.get(out.location)).text()


def test_a_second_factor_is_asked_for_after_it(client: FlaskClient, school: Provider) -> None:
    user = make_user(email="ada@school.example")
    secret = give_app(user)
    assert back(client, there(client, school)).location == "/login/second-step"
    form = {"csrf_token": csrf_of(client, "/login/second-step"), "code": code_now(secret)}
    assert client.post("/login/second-step", data=form).location == "/"


@pytest.mark.parametrize("mfa", [True, False])
def test_where_staff_need_one_that_of_the_provider_counts(
    client: FlaskClient, school: Provider, mfa: bool
) -> None:
    make_user(email="ada@school.example", role="support")
    school.person["amr"] = ["pwd", "mfa"] if mfa else ["pwd"]
    with overridden(staff_second_factor="required"):
        back(client, there(client, school))
        answer = client.get("/admin/")
    if mfa:
        assert answer.status_code == 200
    else:
        assert answer.location.startswith("/account/security")


def test_the_answer_belongs_to_the_browser_that_was_sent(
    app: Flask, client: FlaskClient, school: Provider
) -> None:
    make_user(email="ada@school.example")
    answer = there(client, school)
    victim = app.test_client()
    for browser in (victim, signed_in(make_user())):
        refused = back(browser, answer)
        assert refused.status_code == 400
        assert "Not signed in" in page_of(refused).text("main")
    assert victim.get("/lessons").location.startswith("/login")
    there(victim, school)
    assert back(victim, answer).status_code == 400, "and its own state is another"
    assert back(client, answer).location == "/", "the right browser still comes in"


def test_a_replayed_answer_opens_nothing(app: Flask, client: FlaskClient, school: Provider) -> None:
    make_user(email="ada@school.example")
    answer = there(client, school)
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert back(client, answer).status_code == 302
    thief = app.test_client()
    thief.set_cookie("session", cookie.value)
    assert back(thief, answer).status_code == 400
    assert thief.get("/lessons").location.startswith("/login")


def test_who_is_not_let_in_is_told_why_with_a_reference(
    client: FlaskClient, school: Provider, session: Session
) -> None:
    refused = back(client, there(client, school))
    assert refused.status_code == 403
    page = page_of(refused)
    assert "There is no account for you here yet." in page.text("main")
    kept = session.scalars(select(ErrorReference)).one()
    assert kept.reference in page.text("main")
    assert kept.kind == "no_account"


def test_a_lie_and_a_refusal_of_the_provider_are_told_plainly(client: FlaskClient, school: Provider) -> None:
    make_user(email="ada@school.example")
    school.lies = {"aud": "another client"}
    refused = back(client, there(client, school))
    assert refused.status_code == 400
    assert "The sign-in did not work." in page_of(refused).text("main")
    school.lies = {}
    answer = {**there(client, school), "code": "", "error": "access_denied<script>"}
    page = page_of(back(client, answer))
    assert "You were not signed in by the Example School." in page.text("main")
    assert "access_denied" not in page.text("main")


def test_a_provider_that_is_away_is_a_page_with_a_reference(client: FlaskClient, school: Provider) -> None:
    school.trouble["/.well-known/openid-configuration"] = "503"
    away = client.get(BEGIN)
    assert away.status_code == 503
    assert "The Example School does not answer right now." in page_of(away).text("main")
    assert page_of(client.get("/login")), "the sign-in page does not need it"


def test_no_request_chooses_where_the_browser_is_sent(client: FlaskClient, school: Provider) -> None:
    make_user(email="ada@school.example")
    answer = there(client, school, next_="https://evil.example/")
    assert back(client, answer).location == "/"
    sent = client.get(
        BEGIN, query_string={"issuer": "https://evil.example", "redirect_uri": "https://evil.example"}
    )
    assert sent.location.startswith(school.url)
    assert "evil" not in sent.location


def test_without_settings_there_is_none(client: FlaskClient) -> None:
    assert "Sign in with" not in page_of(client.get("/login")).text("main")
    assert client.get(BEGIN).status_code == 404
    assert client.get(ANSWER).status_code == 404


def test_a_temporary_password_holds_up_who_typed_it_alone(
    client: FlaskClient, school: Provider, session: Session
) -> None:
    make_user(email="ada@school.example")
    session.execute(text("UPDATE users SET password_temporary_until = clock_timestamp() + interval '1 day'"))
    session.commit()
    back(client, there(client, school))
    assert client.get("/lessons").status_code == 200
    assert "Choose your own password" not in page_of(client.get("/account")).text()
