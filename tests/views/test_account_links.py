"""Pages that a link by mail opens: a GET changes nothing, a POST works once, and the secret stays in the address line."""

import logging
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.account_life import forgotten_password, invitations, link_mail, new_address
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.observability import error_reports, logs
from tests import postbox
from tests.domain.account_life.support import NEW, arrives
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox.running() as running, overridden(mail_url=running.url):
        yield running


@pytest.fixture
def user(app: Flask) -> User:
    return make_user(email="ada@school.example", name="Ada")


def reset_link(user: User) -> str:
    with transaction(CLI):
        secret = forgotten_password.make_link(None, user)
    return f"/reset-password/{secret}"


def post(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser), **fields})


def new(password: str = NEW, again: str | None = None) -> dict[str, str]:
    return {"new_password": password, "repeat_password": password if again is None else again}


def enters(app: Flask, email: str, password: str) -> bool:
    browser = app.test_client()
    return post(browser, "/login", email=email, password=password).status_code == 302


def test_the_sign_in_page_leads_there(client: FlaskClient) -> None:
    page = page_of(client.get("/login"))
    assert "/forgot-password" in [link.get("href") for link in page.all("a")]


def test_without_mail_the_page_says_so_and_whom_to_ask(client: FlaskClient) -> None:
    page = page_of(client.get("/forgot-password"))
    assert "This installation sends no mail" in page.text()
    assert "Ask an administrator" in page.text()
    assert page.all("input", name="email") == []
    with overridden(security_contact="mailto:help@school.example"):
        assert "help@school.example" in page_of(client.get("/forgot-password")).text()
    assert "sends no mail" in page_of(post(client, "/forgot-password", email="ada@school.example")).text()
    assert db.session.query(AccountLink).count() == 0


@pytest.mark.parametrize("email", ["ada@school.example", "unknown@school.example", "off@school.example"])
def test_the_answer_is_the_same_for_every_address(
    client: FlaskClient, user: User, box: Postbox, email: str
) -> None:
    make_user(email="off@school.example", active=False)
    answer = post(client, "/forgot-password", email=email)
    assert answer.status_code == 200
    page = page_of(answer)
    assert "If there is an account with this address, a mail with a link is sent to it." in page.text()
    assert "@school.example" not in page.html
    assert link_mail.send_due() == (email == user.email)


def test_too_many_and_no_address_are_said(client: FlaskClient, box: Postbox) -> None:
    answer = post(client, "/forgot-password", email="no address")
    assert answer.status_code == 400
    assert page_of(answer).one("input", name="email")["value"] == "no address"
    for _ in range(forgotten_password.PER_ACCOUNT):
        post(client, "/forgot-password", email="ada@school.example")
    answer = post(client, "/forgot-password", email="ada@school.example")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    page_of(answer)


def test_a_new_password_by_the_link(app: Flask, client: FlaskClient, user: User) -> None:
    path = reset_link(user)
    there = signed_in(user)
    for _ in range(3):
        assert "For ada@school.example." in page_of(client.get(path)).text(), "a GET changes nothing"
    assert client.head(path).status_code == 200
    for fields in (new("short"), new(again="another"), {}):
        assert post(client, path, **fields).status_code == 400
    answer = post(client, path, **new())
    assert answer.location == "/login"
    assert "Your new password is set" in page_of(client.get("/login")).text()
    assert enters(app, user.email, NEW)
    assert there.get("/account").status_code == 302, "every session ended"
    assert client.get(path).status_code == 410
    answer = post(client, path, **new())
    assert answer.status_code == 410
    assert "This link has ended" in page_of(answer).text()


def test_of_two_posts_at_once_one_works(app: Flask, user: User) -> None:
    path, start = reset_link(user), threading.Barrier(2)
    browsers = [app.test_client() for _ in range(2)]
    tokens = [csrf_of(browser) for browser in browsers]
    found: list[int] = []

    def run(browser: FlaskClient, token: str) -> None:
        start.wait()
        found.append(browser.post(path, data={"csrf_token": token, **new()}).status_code)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [302, 410]


def test_an_invitation(app: Flask, client: FlaskClient) -> None:
    with transaction(CLI):
        invited, secret = invitations.invite(email="new@school.example", role="support", name="Nia")
    path = f"/invitation/{secret}"
    page = page_of(client.get(path))
    assert "a member of support" in page.text()
    assert page.one("input", name="name")["value"] == "Nia"
    wrong = post(client, path, name="Nia Nova", **new("password12"))
    assert wrong.status_code == 400
    assert page_of(wrong).one("input", name="name")["value"] == "Nia Nova"
    assert not enters(app, invited.email, NEW)
    assert post(client, path, name="Nia Nova", **new()).location == "/login"
    assert enters(app, invited.email, NEW)
    assert "sign in with it" in page_of(client.get(path)).text()


def test_a_new_address(app: Flask, client: FlaskClient, user: User, box: Postbox) -> None:
    new_address.ask(user, password=PASSWORD, email="new@home.example", address="")
    path = f"/new-address/{arrives(box)}"
    page = page_of(client.get(path))
    assert "new@home.example" in page.text()
    assert "ada@school.example" in page.text()
    assert enters(app, "ada@school.example", PASSWORD), "until it is confirmed"
    assert post(client, path).location == "/login"
    assert enters(app, "new@home.example", PASSWORD)
    assert not enters(app, "ada@school.example", PASSWORD)
    assert client.get(path).status_code == post(client, path).status_code == 410


def test_confirmed_in_a_browser_that_is_signed_in_it_leads_to_the_account(user: User, box: Postbox) -> None:
    new_address.ask(user, password=PASSWORD, email="new@home.example", address="")
    browser = signed_in(user)
    path = f"/new-address/{arrives(box)}"
    answer = browser.post(path, data={"csrf_token": csrf_of(browser, "/account")})
    assert answer.location == "/account"
    assert "new@home.example is the address" in page_of(browser.get("/account")).text()


@pytest.mark.parametrize("kind", ["reset-password", "invitation", "new-address"])
def test_what_was_never_a_link_has_ended(client: FlaskClient, kind: str) -> None:
    assert page_of(client.get(f"/{kind}/never-made")).text()
    assert client.get(f"/{kind}/never-made").status_code == 410


def test_without_its_token_no_form_does_anything(client: FlaskClient, user: User) -> None:
    path = reset_link(user)
    assert client.post(path, data=new()).status_code == 400
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("kind", ["reset-password", "invitation", "new-address"])
def test_a_program_that_only_looks_uses_nothing(
    client: FlaskClient, user: User, box: Postbox, kind: str
) -> None:
    with transaction(CLI):
        if kind == "reset-password":
            forgotten_password.make_link(make_user(role="admin"), user)
        elif kind == "invitation":
            invitations.invite(email="new@school.example", role="student")
    if kind == "new-address":
        new_address.ask(user, password=PASSWORD, email="new@home.example", address="")
    path = f"/{kind}/{arrives(box)}"
    for method in ("HEAD", "GET", "OPTIONS"):
        assert client.open(path, method=method).status_code == 200
    assert db.session.query(AccountLink).filter(AccountLink.used_at.is_not(None)).count() == 0
    assert client.get(path).status_code == 200


def test_the_secret_leaves_by_no_referrer_log_or_report(
    client: FlaskClient, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    path = reset_link(user)
    secret = path.rpartition("/")[2]
    for answer in (client.get(path), post(client, path, **new("short")), client.get("/forgot-password")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/login").headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    client.get(path + "x")
    logging.getLogger("lessonadmin.test").warning("GET https://school.example%s?x=1 failed", path)
    for form in (logs.JsonLines(), logs.Readable()):
        lines = "\n".join(map(form.format, caplog.records))
        assert "GET /reset-password/[secret] 200" in lines
        assert "school.example/reset-password/[secret]?x=1 failed" in lines
        assert secret not in lines
    event = {
        "request": {"url": f"https://school.example{path}", "headers": {"Referer": f"https://x{path}"}},
        "transaction": path,
    }
    assert secret not in str(error_reports.scrub(event))
