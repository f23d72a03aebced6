"""Single sign-on with a provider in a process of its own (`oidc-provider-mock`), as people see it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from devstack.servers import ports
from devstack.stack import status_of
from tests.browser.stack import Stack, Visitor

PERSON = {"sub": "b7c1", "email": "ada@school.example", "email_verified": True, "name": "Ada Lovelace"}


@pytest.fixture
def provider(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The address of a provider that knows one person."""
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--user-claims",
        json.dumps(PERSON),
    ]
    with (tmp_path / "provider.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        stack.until(lambda: status_of(f"{url}/.well-known/openid-configuration") == 200)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_a_person_of_the_provider_signs_in_and_out(
    stack: Stack, visit: Visitor, provider: str, accessible: Callable[[Page], None]
) -> None:
    settings = {
        "OIDC_ISSUER": provider,
        "OIDC_CLIENT_ID": "lessonadmin",
        "OIDC_CLIENT_SECRET": "a secret of the client",
        "OIDC_NAME": "the Example School",
    }
    with stack.web_with(**settings, OIDC_NEW_PEOPLE="student") as url:
        page = visit(None, url=url, errors=True)  # the provider's own pages ask for styles of another site
        page.goto("/catalog")
        accessible(page)
        page.get_by_role("link", name="Sign in with the Example School").click()
        expect(page).to_have_url(re.compile(re.escape(provider)))
        page.get_by_role("button", name=re.compile("ada@school.example|b7c1")).first.click()
        expect(page).to_have_url(f"{url}/catalog")
        expect(page.get_by_text("Account of Ada Lovelace")).to_be_attached()

        page.get_by_role("button", name=re.compile("Account of")).click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You may still be signed in at the Example School")).to_be_visible()
        expect(page).to_have_url(f"{url}/login")
        rows = stack.sql("SELECT role, subject FROM provider_identities JOIN users ON users.id = user_id")
        assert rows == [("student", "b7c1")]

    with stack.web_with(**settings) as url:
        stack.sql("DELETE FROM users WHERE email = 'ada@school.example'")
        page = visit(None, url=url, errors=True)
        page.goto("/login/single-sign-on")
        page.get_by_role("button", name=re.compile("ada@school.example|b7c1")).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Not signed in")
        expect(page.get_by_text("There is no account for you here yet.")).to_be_visible()
        accessible(page)
