"""The Mux sync check as support uses it: check, read what a fix would do, give a reason, fix."""

from playwright.sync_api import expect

from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor


def test_a_mismatch_is_fixed_with_its_consequences_before_the_eyes_and_a_reason(
    visit: Visitor, stack: Stack, instructor: Person
) -> None:
    # Those of tests before are missing as well: the simulator has forgotten their assets. Their reports have buttons of
    # the same name, which would be pressed before the new report is there.
    stack.sql("TRUNCATE lessons, courses, reconcile_runs CASCADE")
    lesson = School(stack, instructor).lesson("Deleted in the dashboard")
    ((asset,),) = stack.sql("SELECT mux_asset_id FROM lessons WHERE id = %s", lesson)
    stack.mux.set_switch("deliveries_paused", True)
    stack.mux.delete_asset_in_dashboard(asset)
    reason = f"Deleted there by mistake {lesson}"
    page = visit(stack.person("support"))
    page.goto("/admin/reconcile/")
    page.get_by_role("button", name="Check now").click()
    page.get_by_role("button", name="Clear…").click()
    question = page.get_by_role("dialog")
    expect(question.get_by_role("heading")).to_have_text("Clear 1 missing video?")
    expect(question).to_contain_text("1 published lesson becomes a draft")
    question.get_by_role("button", name="Clear 1 video").click()
    expect(question.get_by_label("Reason")).to_be_focused()  # nothing is done without one
    question.get_by_label("Reason").fill(reason)
    page.keyboard.press("Enter")
    stack.until(lambda: stack.sql("SELECT status FROM lessons WHERE id = %s", lesson) == [("draft",)])
    done = stack.sql("SELECT action FROM audit_log WHERE detail ->> 'reason' = %s", reason)
    assert {action for (action,) in done} == {
        "sync_check.fix_requested",
        "video.deleted",
        "lesson.unpublished",
    }
    expect(page.get_by_role("row", name="Missing at Mux").first).to_contain_text("Nothing to do")
