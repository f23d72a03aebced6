"""What the tests of sign-in methods do as users do it."""

from base64 import b32decode

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.factories import code_now
from tests.pages import Page, csrf_of, page_of

PAGE = "/account/security"


def send(browser: FlaskClient, path: str = "", **fields: str) -> TestResponse:
    return browser.post(PAGE + path, data={"csrf_token": csrf_of(browser, PAGE), **fields})


def key_on(page: Page) -> bytes:
    shown = page.one("button", **{"data-js": "copy"})["data-copy"] or ""
    plain = shown.replace(" ", "")
    return b32decode(plain + "=" * (-len(plain) % 8))


def set_up(browser: FlaskClient) -> Page:
    """Set up an app as a user does; the answer is the page after it."""
    begun = send(browser, "/app")
    assert begun.location == f"{PAGE}/app"
    secret = key_on(page_of(browser.get(begun.location)))
    return page_of(send(browser, "/app/confirm", code=code_now(secret)))


def codes_on(page: Page) -> list[str]:
    return (page.one("button", **{"data-js": "copy"})["data-copy"] or "").split()


def let_the_proof_age(session: Session) -> None:
    session.execute(text("UPDATE user_sessions SET proved_at = proved_at - interval '11 minutes'"))
    session.commit()


def ask(browser: FlaskClient, path: str, page: str) -> str:
    """The options for a passkey, as the script of this page asks for them."""
    answer = browser.post(path, headers={"X-CSRFToken": csrf_of(browser, page)}, json={})
    assert answer.status_code == 200, answer.text
    return answer.text
