"""Passkeys and codes as people use them, with the browser's own virtual authenticator."""

import re
import time
from base64 import b32decode
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lessonadmin.domain.second_factor import totp
from tests.browser.stack import PASSWORD, Person, Stack, Visitor
from tests.chromium import alive

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(page: Page) -> Page:
    """A device with passkeys, which says yes to everything."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def named(address: str) -> str:
    """The same server under a name: browsers have no passkeys for numbers."""
    return address.replace("127.0.0.1", "localhost")


def type_password(page: Page, person: Person) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Account of")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_a_passkey_is_added_and_signs_in_alone_and_after_the_password(
    stack: Stack, visit: Visitor, instructor: Person, accessible: Callable[[Page], None]
) -> None:
    page = with_authenticator(visit(None, url=named(stack.url)))
    type_password(page, instructor)
    page.goto("/account")
    page.get_by_role("link", name="Sign-in methods").click()
    heading(page, "Sign-in methods")
    accessible(page)
    page.get_by_label("Name of a new passkey").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    heading(page, "Your recovery codes")
    expect(page.get_by_test_id("recovery-codes").get_by_role("listitem")).to_have_count(10)
    accessible(page)
    page.get_by_role("link", name="Sign-in methods").click()
    expect(page.get_by_text("My laptop", exact=True)).to_be_visible()
    accessible(page)

    sign_out(page)
    accessible(page)
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page).to_have_url(re.compile("/lessons$"))

    sign_out(page)
    type_password(page, instructor)
    heading(page, "Confirm that it is you")
    accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/lessons$"))


def test_a_device_without_a_passkey_says_so_and_the_password_still_works(
    stack: Stack, visit: Visitor, instructor: Person
) -> None:
    page = visit(None, url=named(stack.url), errors=True)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, "isUserVerified": False}})
    page.goto("/login")
    alive(page)
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_text("Nothing happened: the passkey was cancelled")).to_be_visible()
    by_number = visit(None, errors=True)
    by_number.goto("/login")
    alive(by_number)
    by_number.get_by_role("button", name="Use a passkey instead").click()
    expect(by_number.get_by_text("Passkeys do not work under this address.")).to_be_visible()
    type_password(page, instructor)
    expect(page).to_have_url(re.compile("/lessons$"))


@pytest.mark.parametrize("width", [1280, 390])
def test_staff_who_need_a_second_step_set_up_an_app_and_sign_in_with_it(
    stack: Stack, visit: Visitor, accessible: Callable[[Page], None], width: int
) -> None:
    support = stack.person("support", "Sam Support")
    with stack.web_with(STAFF_SECOND_FACTOR="required") as url:
        page = visit(None, url=named(url), width=width)
        type_password(page, support)
        heading(page, "Sign-in methods")
        expect(page.get_by_text("Staff need a second step to sign in here.")).to_be_visible()
        page.goto("/admin/lesson/")
        heading(page, "Sign-in methods")
        page.get_by_role("button", name="Set up an app").click()
        heading(page, "Set up an authenticator app")
        accessible(page)
        secret = key_of(page.get_by_test_id("app-key").inner_text())
        page.get_by_label("Code").fill(code_of(secret))
        page.get_by_role("button", name="Finish").click()
        heading(page, "Your recovery codes")
        codes = page.get_by_test_id("recovery-codes").get_by_role("listitem").all_inner_texts()
        page.get_by_role("link", name="Continue").click()
        expect(page).to_have_url(re.compile("/admin/$"))

        sign_out(page)
        type_password(page, support)
        heading(page, "Confirm that it is you")
        accessible(page)
        page.get_by_label("Code from your authenticator app").fill(code_of(secret, steps=1))
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).to_have_url(re.compile("/admin/$"))

        sign_out(page)
        type_password(page, support)
        page.get_by_text("Use a recovery code instead").click()
        page.get_by_label("Recovery code").fill(codes[0])
        page.get_by_role("button", name="Sign in with a recovery code").click()
        expect(page).to_have_url(re.compile("/admin/$"))


def key_of(shown: str) -> bytes:
    plain = shown.replace(" ", "")
    return b32decode(plain + "=" * (-len(plain) % 8))


def code_of(secret: bytes, *, steps: int = 0) -> str:
    return totp.code_of(secret, totp.step_at(time.time()) + steps)
