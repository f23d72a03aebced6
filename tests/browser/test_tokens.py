"""A bearer token's whole life: made at the account page, used by a script, and revoked."""

from playwright.sync_api import expect

from tests.browser.stack import PASSWORD, Person, Stack, Visitor
from tests.contract.callers import Caller


def test_a_token_is_made_used_and_revoked(visit: Visitor, instructor: Person, stack: Stack) -> None:
    page = visit(instructor, errors=True)
    page.goto("/account")
    page.get_by_label("Name of a new token").fill("nightly import")
    page.get_by_label("Your password").fill("not my password")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not your current password.")
    expect(page.get_by_label("Name of a new token")).to_have_value("nightly import")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    script = Caller(stack.url, page.locator(".note code").inner_text())
    script.get("/api/lessons").expect(200)
    assert script.post("/api/lessons", {"title": "x"}).expect(403).error == "insufficient_scope"
    assert script.get("/account").expect(302).location == "/login"
    page.goto("/account")
    row = page.locator("#tokens li").filter(has_text="nightly import")
    expect(row).to_contain_text("Read only")
    expect(row).to_contain_text("from 127.0.0.1")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke token").click()
    expect(page.get_by_role("status")).to_contain_text("no longer opens anything")
    script.get("/api/lessons").expect(401)
