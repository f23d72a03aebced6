"""How an account begins, is found again, moves to another address and ends: each with its mail, in a real browser."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from devstack.places import ROOT
from tests import postbox
from tests.browser.stack import PASSWORD, Person, Stack, Visitor
from tests.postbox import Postbox

NEW = "bread and butter on Sundays"
SEND = "from app import app\nwith app.app_context():\n from lessonadmin.jobs import notices\n notices.send_links()"


@dataclass
class Mailing:
    """A web process that may send mail, and the mail server."""

    url: str
    box: Postbox
    settings: dict[str, str]

    def link(self) -> str:
        """The link that leaves now, in a process of its own as a worker would send it."""
        before = len(self.box.received)
        subprocess.run(
            [sys.executable, "-c", SEND], cwd=ROOT, env={**os.environ, **self.settings}, check=True
        )
        found = re.search(
            r"http://\S+/(?:reset-password|invitation|new-address)/\S+", self.box.received[before].text
        )
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def mailing(stack: Stack) -> Iterator[Mailing]:
    with postbox.running() as box, stack.web_with(MAIL_URL=box.url) as url:
        yield Mailing(url, box, {**stack.settings, "PUBLIC_URL": url, "MAIL_URL": box.url})


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, label: str, password: str = NEW) -> None:
    page.get_by_label(label, exact=True).fill(password)
    page.get_by_label(f"{label} again").fill(password)


def test_a_forgotten_password(
    mailing: Mailing, visit: Visitor, instructor: Person, accessible: Callable[[Page], None]
) -> None:
    page = visit(None, url=mailing.url, errors=True)  # a password is refused
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    accessible(page)
    page.get_by_label("E-mail address").fill(instructor.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your mail")
    page.goto(link := mailing.link())
    accessible(page)
    choose(page, "New password", "password12")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("Many people use this password")
    choose(page, "New password")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your new password is set")).to_be_visible()
    page.goto(link)
    expect(page.get_by_text("A link works once and for a limited time")).to_be_visible()
    page.goto("/login")
    sign_in(page, instructor.email, NEW)
    expect(page).to_have_url(re.compile("/lessons$"))


def test_an_invitation(
    mailing: Mailing, stack: Stack, visit: Visitor, accessible: Callable[[Page], None]
) -> None:
    admin = visit(stack.person("admin"), url=mailing.url)
    admin.goto("/admin/user/new/")
    admin.get_by_label("E-mail").fill("nia@school.example")
    admin.get_by_role("button", name="Create account").click()
    expect(admin.get_by_text("nia@school.example is invited by mail.")).to_be_visible()
    accessible(admin)
    link = mailing.link()
    admin.reload()
    expect(admin.locator("#invitation")).to_contain_text("Sent to nia@school.example")
    page = visit(None, url=mailing.url)
    page.goto(link)
    accessible(page)
    page.get_by_label("Your name").fill("Nia Nova")
    choose(page, "Password")
    page.get_by_role("button", name="Open the account").click()
    sign_in(page, "nia@school.example", NEW)
    expect(page).to_have_url(re.compile("/lessons$"))


def test_another_address(
    mailing: Mailing, visit: Visitor, instructor: Person, accessible: Callable[[Page], None]
) -> None:
    page = visit(instructor, url=mailing.url)
    page.goto("/account")
    page.get_by_label("New address").fill(f"new.{instructor.email}")
    page.locator("#email").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Change address").click()
    expect(page.get_by_text("is not confirmed yet")).to_be_visible()
    accessible(page)
    page.goto(mailing.link())
    accessible(page)
    page.get_by_role("button", name="Confirm the address").click()
    expect(page.get_by_text(f"new.{instructor.email} is the address of your account now.")).to_be_visible()


def test_an_account_is_deleted(stack: Stack, visit: Visitor, accessible: Callable[[Page], None]) -> None:
    student = stack.person("student")
    page = visit(student, errors=True)  # the last sign-in is refused
    page.goto("/account")
    page.get_by_role("link", name="Delete account…").click()
    accessible(page)
    page.get_by_label("Type “delete” to confirm").fill("delete")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete account permanently").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    sign_in(page, student.email, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("not right")
    assert stack.sql("SELECT name, active FROM users WHERE id = %s", student.id) == [
        ("Deleted account", False)
    ]
