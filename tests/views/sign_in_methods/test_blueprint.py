"""What the pages of sign-in methods share: a change without a recent proof leads back to the page that asks for one."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import make_user, signed_in
from tests.pages import page_of
from tests.views.sign_in_methods.steps import PAGE, let_the_proof_age, send


@pytest.mark.parametrize(
    "path",
    [
        "/app",
        "/app/confirm",
        "/app/remove",
        "/recovery-codes",
        "/passkeys",
        f"/passkeys/{'0' * 8}-0000-0000-0000-{'0' * 12}/remove",
    ],
)
def test_a_change_without_a_proof_leads_to_the_page_that_asks_for_it(
    app: Flask, session: Session, path: str
) -> None:
    browser = signed_in(make_user())
    let_the_proof_age(session)
    assert send(browser, path, code="123456", credential="{}").location == PAGE
    assert "Confirm your password first" in page_of(browser.get(PAGE)).text()
