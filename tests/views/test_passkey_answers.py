"""What the pages with passkeys share: who may ask, how often, and what a form without a script is told."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.domain.second_factor import challenges
from tests.factories import make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.views.sign_in_methods.steps import PAGE, ask


def test_without_a_script_the_page_says_what_is_needed(client: FlaskClient, app: Flask) -> None:
    refused = client.post("/login/passkey", data={"csrf_token": csrf_of(client), "credential": ""})
    assert refused.status_code == 400
    assert "Passkeys need a browser that knows them and runs scripts." in page_of(refused).text("main")
    browser = signed_in(make_user())
    refused = browser.post(f"{PAGE}/passkeys", data={"csrf_token": csrf_of(browser, PAGE)})
    assert refused.status_code == 400
    assert "runs scripts" in page_of(refused).text("main")


def test_asking_needs_the_token_of_the_page_and_has_a_limit(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post("/login/passkey/options", json={}).status_code == 400
    monkeypatch.setattr(challenges, "MAX_OPEN", 1)
    ask(client, "/login/passkey/options", "/login")
    refused = client.post("/login/passkey/options", headers={"X-CSRFToken": csrf_of(client)}, json={})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "300")
    assert refused.get_json()["error"]["message"].startswith("Too many tries to sign in.")
