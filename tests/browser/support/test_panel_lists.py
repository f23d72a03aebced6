"""The tools of the panel's lists, used: filters of ranges, saved filters, actions that fit the rows, and messages that cover nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import School
from tests.browser.stack import Stack, Visitor

WIDTHS = [1280, 390]
# which of these are covered by a toast, as eyes and fingers meet them
COVERED = """(wanted) => [...document.querySelectorAll(wanted)].filter((one) => {
  const box = one.getBoundingClientRect(), toast = document.querySelector(".toast").getBoundingClientRect();
  return box.width && box.bottom > toast.top && box.top < toast.bottom && box.right > toast.left && box.left < toast.right;
}).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture
def panel(visit: Visitor, stack: Stack) -> Page:
    return visit(stack.person("support", "Sam Support"))


@pytest.mark.parametrize("width", WIDTHS)
def test_both_ends_of_a_range_are_typed_and_said_in_plain_words(
    panel: Page, school: School, width: int, accessible: Callable[[Page], None]
) -> None:
    for day in ("01", "15", "28"):
        school.lesson(f"Of January {day}", created_at=f"2026-01-{day} 12:00+00", price=int(day) * 100)
    panel.set_viewport_size({"width": width, "height": 844})
    panel.goto("/admin/lesson/")
    panel.get_by_role("button", name="Filters").click()
    panel.get_by_label("Owner: value").fill(school.owner.email)
    created = panel.get_by_role("group", name="Created")
    created.get_by_label("from").fill("2026-01-02")
    created.get_by_label("until").fill("2026-01-27")
    panel.get_by_role("group", name="Price").get_by_label("at least").fill("15")
    assert panel.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    first, second = (created.get_by_label(name).bounding_box() for name in ("from", "until"))
    assert first is not None
    assert second is not None
    assert first["y"] == second["y"], "both in one row"
    panel.get_by_role("button", name="Show").click()
    chips = panel.get_by_role("list", name="What the list is narrowed to").get_by_role("listitem")
    owner = f"Owner is {school.owner.email}"
    expect(chips).to_have_text(
        [owner, "Created from 2 Jan 2026", "Created until 27 Jan 2026", "Price at least EUR 15.00"]
    )
    expect(panel.get_by_label("Select Of January 15")).to_be_visible()
    expect(panel.get_by_label("Select Of January 28")).to_have_count(0)
    accessible(panel)  # not while the form is open: axe measures words behind its shade, which are covered


def test_a_filter_is_saved_found_again_renamed_and_removed(
    panel: Page, visit: Visitor, stack: Stack, school: School, accessible: Callable[[Page], None]
) -> None:
    school.without_video("Late draft", "none")
    school.lesson("Long out")
    school.lesson("I")  # a title of one letter is as easy to touch as any other,
    school.lesson("Flat wash", course=school.course("Watercolour"))  # and one above the link to its course
    panel.goto("/admin/lesson/")
    panel.get_by_role("button", name="Filters").click()
    panel.get_by_role("group", name="State").get_by_label("State: value").select_option("Draft")
    panel.get_by_role("group", name="Owner").get_by_label("Owner: value").fill(school.owner.email)
    panel.get_by_role("button", name="Show").click()
    panel.get_by_role("button", name="Saved filters").click()
    panel.get_by_label("Save this filter as").fill("Tina's drafts")
    panel.keyboard.press("Enter")
    expect(panel.get_by_text("The filter is saved.")).to_be_visible()

    panel.goto("/admin/lesson/")
    accessible(panel)
    panel.get_by_role("button", name="Saved filters").click()
    panel.get_by_role("link", name="Tina's drafts").click()
    expect(panel.get_by_label("Select Late draft")).to_be_visible()
    expect(panel.get_by_label("Select Long out")).to_have_count(0)
    panel.get_by_role("button", name="Tina's drafts").click()
    panel.get_by_text("Change", exact=False).click()
    panel.get_by_label("New name of “Tina's drafts”").fill("Drafts")
    panel.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Drafts", exact=True)).to_be_visible()

    other = visit(stack.person("support", "Sue Support"))
    other.goto("/admin/lesson/")
    expect(other.get_by_role("button", name="Filters", exact=True)).to_be_visible()
    expect(other.get_by_role("button", name="Saved filters")).to_have_count(0)

    stack.sql(
        "UPDATE saved_filters SET query = query || '&flt9_colour_is=blue'"
    )  # from before an upgrade, say
    panel.goto("/admin/lesson/")
    panel.get_by_role("button", name="Saved filters").click()
    panel.get_by_role("link", name="Drafts").click()
    expect(panel.get_by_text("This list has no filter “colour_is”, so it is left out.")).to_be_visible()
    expect(panel.get_by_label("Select Late draft")).to_be_visible()
    expect(panel.get_by_label("Select Long out")).to_have_count(0)

    panel.get_by_role("button", name="Drafts", exact=True).click()
    panel.get_by_text("Change", exact=False).click()
    panel.get_by_role("button", name="Remove “Drafts”").click()
    expect(panel.get_by_text("The saved filter is removed.")).to_be_visible()
    expect(panel.get_by_label("Select Late draft")).to_be_visible()  # the list stays as it was
    panel.goto("/admin/lesson/")
    expect(panel.get_by_role("button", name="Saved filters")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_message_covers_no_row_and_no_button_at_the_end_of_a_list(
    panel: Page, school: School, width: int
) -> None:
    for number in range(20):
        school.lesson(f"Open {number:02}")
    panel.set_viewport_size({"width": width, "height": 844})
    panel.goto(f"/admin/lesson/?flt0_owner_is={school.owner.email}")
    panel.get_by_label("Select Open 07").check()
    if width < 700:
        panel.get_by_role("button", name="Actions").click()
    panel.get_by_role("button", name="Unpublish").click()
    panel.get_by_label("Reason").fill("Too early")
    panel.keyboard.press("Enter")
    toast = panel.locator(".toast")
    expect(toast.get_by_role("button", name="Undo")).to_be_in_viewport()
    assert panel.evaluate(COVERED, ".action-bar, .tools, .page__actions .button") == []
    panel.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(toast).to_be_in_viewport()
    assert panel.evaluate(COVERED, "tbody tr, .action-bar, .pages, .page-sizes a") == []
    end = panel.evaluate("scrollY")
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)
    assert panel.evaluate("scrollY") == end, "nothing moves under the pointer"


def test_an_action_that_would_change_none_of_the_selected_rows_is_disabled_and_says_so(
    panel: Page, visit: Visitor, stack: Stack, school: School
) -> None:
    school.without_video("Empty", "none", publish_on_ready=False)
    school.lesson("Plays")
    panel.goto(f"/admin/lesson/?flt0_owner_is={school.owner.email}")
    bar = panel.locator("#action_form")

    def offered() -> list[str]:
        return [one.inner_text() for one in bar.locator("button[name=action]:enabled").all()]

    everything = [
        "Publish",
        "Unpublish",
        "Re-sync and publish",
        "Make captions",
        "Remove video",
        "Check with Mux",
    ]
    assert offered() == everything
    panel.get_by_label("Select Empty").check()
    assert offered() == []
    publish = bar.get_by_role("button", name="Publish", exact=True)
    expect(publish).to_have_attribute("title", "This would change none of the selected lessons.")
    panel.get_by_label("Select Plays").check()
    assert offered() == everything[1:], "what changes one of them"
    panel.get_by_label("Select Empty").uncheck()
    panel.get_by_label("Select Plays").uncheck()
    assert offered() == everything
    expect(publish).not_to_have_attribute("title", "This would change none of the selected lessons.")
    panel.get_by_label("Select all rows").check()
    bar.get_by_role("button", name="Unpublish").click()
    expect(panel.get_by_role("heading", level=1)).to_have_text("Unpublish: 2 lessons")
