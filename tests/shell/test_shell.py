"""The shell in Chromium: every first page in both schemes and both widths, by keyboard, and without a script."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from lessonadmin.domain.models import Notification, User
from tests.chromium import alive
from tests.factories import PASSWORD, keep, make_lesson, make_token, make_user

PAGES = [
    ("", "/login"),
    ("", "/nowhere"),
    ("student", "/catalog"),
    ("student", "/account"),
    ("instructor", "/lessons"),
    ("instructor", "/notifications"),
    ("instructor", "/account"),
    ("support", "/admin/"),
    ("admin", "/admin/"),
    ("admin", "/nowhere"),
]
Axe = Callable[[Page], list[str]]
Good = Callable[[Page], None]
Window = Callable[..., Page]


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_a_page_is_accessible_and_fits(window: Window, accessible: Good, role: str, path: str) -> None:
    page = window(signed_in=role or None)
    page.goto(path)
    accessible(page)


def test_of_the_test_axe_finds_what_is_wrong(page: Page, axe: Axe) -> None:
    page.goto("/login")
    page.evaluate(
        "document.querySelector('label').remove(); document.documentElement.removeAttribute('lang')"
    )
    found = " ".join(axe(page))
    assert "html-has-lang" in found
    assert "label" in found


@pytest.mark.parametrize(
    "target",
    [
        "/admin/lesson/new/?url=http:{elsewhere}/login",
        "/admin/lesson/export/x/?url=http:{elsewhere}/login",
        "http:{elsewhere}/login",
        "/\\{elsewhere}/login",
        "/\t/{elsewhere}/login",
    ],
)
def test_signing_in_leads_to_no_other_server(page: Page, site: str, target: str) -> None:
    """Elsewhere is another port here: a user who signs in is asked for the password once more on a copy of the page."""
    support = make_user(role="support")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/login?next=" + quote(target.format(elsewhere="127.0.0.1:9999"), safe=""))
    page.get_by_label("E-mail").fill(support.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Account of")).to_be_visible()
    assert f"{site}/login" in {address.partition("?")[0] for address in asked}
    assert [address for address in asked if not address.startswith(f"{site}/")] == []


def test_signing_in_by_keyboard_and_out_again(page: Page) -> None:
    user = make_user(role="instructor", name="Ada Lovelace")
    page.goto("/lessons")
    expect(page).to_have_title("Sign in – Lessonadmin")
    page.keyboard.type(user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lessons")
    account = page.get_by_role("button", name="Account of Ada Lovelace")
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    account.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    expect(page.get_by_role("status").filter(has_text="You are signed out.")).to_be_visible()


def test_a_wrong_password_is_told_accessibly(page: Page, axe: Axe) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill("nobody@school.example")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Error: Sign in – Lessonadmin")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("not right")
    expect(page.get_by_label("E-mail address")).to_have_value("nobody@school.example")
    assert axe(page) == []


def test_an_error_summary_leads_to_its_field(window: Window, axe: Axe) -> None:
    page = window(signed_in="instructor")
    page.goto("/account")
    page.get_by_label("Current password").fill("wrong password")
    page.get_by_label("New password", exact=True).fill("a new long password")
    page.get_by_label("New password again").fill("another")
    page.get_by_role("button", name="Change password").click()
    link = page.get_by_role("alert").get_by_role("link")
    expect(link).to_have_text("This is not the same as the new password.")
    link.click()
    expect(page.get_by_label("New password again")).to_be_focused()
    assert axe(page) == []


def test_the_skip_link_is_the_first_thing_and_works(window: Window) -> None:
    page = window(signed_in="instructor")
    page.goto("/lessons")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [390, 900])
def test_the_menu_of_small_screens_leads_everywhere(window: Window, axe: Axe, width: int) -> None:
    page = window(width=width, signed_in="admin")
    page.goto("/admin/")
    menu = page.get_by_role("button", name="Menu", exact=True)
    menu.click()
    drawer = page.get_by_role("navigation", name="Menu")
    expect(drawer).to_be_visible()
    assert axe(page) == []
    expect(drawer.locator("[aria-current]")).to_have_count(1)
    drawer.get_by_role("link", name="Lessons", exact=True).click()
    page.wait_for_url("**/admin/lesson/")
    menu.click()
    drawer.get_by_role("link", name="Lesson editor").click()
    page.wait_for_url("**/lessons")


def test_a_slash_and_ctrl_k_lead_to_the_search_and_a_slash_can_be_typed(window: Window) -> None:
    make_lesson()
    for path, label in (
        ("/admin/lesson/", "Search by ID, email, URL or title"),
        ("/lessons", "Search lessons"),
    ):
        page = window(signed_in="support")
        page.goto(path)
        alive(page)
        box = page.get_by_role("searchbox", name=label)
        for keys in ("/", "Control+k"):
            expect(box).not_to_be_focused()
            page.keyboard.press(keys)
            expect(box).to_be_focused()
            page.keyboard.type("a/b")
            expect(box).to_have_value("a/b")
            box.fill("")
            box.blur()


def test_the_bell_says_how_many(window: Window) -> None:
    user = make_user()
    for _ in range(3):
        keep(Notification(user_id=user.id, kind="video_ready", message="Ready."))
    page = window(signed_in=user)
    page.goto("/lessons")
    page.get_by_role("link", name="Notifications, 3 unread").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")


def test_a_question_names_what_will_happen_and_can_be_answered_no(window: Window, axe: Axe) -> None:
    user = make_user()
    make_token(user)
    page = window(signed_in=user)
    page.goto("/account")
    opener = page.get_by_role("button", name="Revoke")
    opener.click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("refused from now on")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    question.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_role("status")).to_contain_text("no longer opens anything")
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)


def test_a_new_token_can_be_copied(window: Window) -> None:
    page = window(signed_in="instructor")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account")
    page.get_by_label("Name of a new token").fill("nightly")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy the new token").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert page.locator(".note code").inner_text() == copied


@pytest.mark.parametrize("late", ["**/js/app.js", "**/js/behaviours/copy.js"])
def test_a_press_before_its_script_has_come_is_not_lost(window: Window, late: str) -> None:
    page = window(signed_in="instructor")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account")
    page.get_by_label("Name of a new token").fill("nightly")
    page.get_by_label("Your password").fill(PASSWORD)
    held: list[Route] = []
    page.route(late, lambda route: held.append(route))
    page.get_by_role("button", name="Create token").click(no_wait_after=True)
    page.get_by_role("button", name="Copy the new token").click()
    while not held:
        page.wait_for_timeout(20)
    page.unroute(
        late
    )  # lets go of all that are held: a browser may ask for a script ahead of its tag and again for it
    expect(page.get_by_text("Copied.")).to_have_count(1)


def test_a_form_is_sent_once_however_often_the_button_is_pressed(window: Window, site: str) -> None:
    page = window(signed_in="instructor")
    page.goto("/account")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_label("Name of a new token").fill("once")
    page.get_by_label("Your password").fill(PASSWORD)
    alive(page)
    page.get_by_role("button", name="Create token").dblclick()
    expect(page.get_by_text("Here is the new token")).to_be_visible()
    assert posts == [f"{site}/account/tokens"]
    expect(page.get_by_text("once", exact=True)).to_have_count(1)


def test_times_are_the_readers_own(window: Window) -> None:
    page = window(signed_in="instructor")
    page.goto("/account/sessions")
    moment = page.locator("time[data-style=relative]").first
    expect(moment).to_have_text("just now")
    assert (moment.get_attribute("datetime") or "").endswith("Z")


def test_messages_stay_while_they_are_read_and_go_when_dismissed(window: Window) -> None:
    user = make_user()
    page = window(signed_in=user)
    page.goto("/account")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke token").click()
    toast = page.locator(".toast")
    expect(toast).to_have_count(1)
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_without_a_script_everything_is_still_there(window: Window) -> None:
    user: User = make_user(role="support")
    page = window(script=False)
    page.goto("/login")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
    page.get_by_role("button", name=f"Account of {user.name}").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def test_a_first_page_is_light(window: Window) -> None:
    page = window(signed_in="instructor")
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body()) if answer.ok else 0))
    page.goto("/lessons")
    page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) < 150_000, sum(sizes)


def test_nothing_moves_while_the_page_arrives(window: Window) -> None:
    page = window(signed_in="instructor", width=390)
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const e of list.getEntries())"
        " if (!e.hadRecentInput) window.moved += e.value; }).observe({type: 'layout-shift', buffered: true});"
    )
    page.goto("/account")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved") < 0.01
