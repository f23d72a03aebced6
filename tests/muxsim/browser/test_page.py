"""The control page in Chromium: it shows what happens while it happens, and every button does what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.sdk import Sdk

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def errors(tab: Page, errors_of: Callable[[Page], list[str]]) -> list[str]:
    return errors_of(tab)


def test_a_video_from_its_upload_to_its_end(
    make_sim: Callable[..., Simulator], tab: Page, errors: list[str]
) -> None:
    sim = make_sim(processing_seconds=1000)
    sdk, control = Sdk(sim.url), Control(sim.url)
    tab.goto(sim.url + "/_sim")
    expect(tab.get_by_text("No upload yet.")).to_be_visible()
    sdk.upload("public", meta={"title": "Shading <b>bold</b>"})
    card = tab.locator("#video-list .card")
    expect(card).to_have_count(1)
    expect(card.locator(".title")).to_have_text("Shading <b>bold</b>")
    card.get_by_role("button", name="Complete without bytes").click()
    expect(card.locator(".pill", has_text="preparing")).to_be_visible()
    tab.get_by_role("button", name="+1 min").click()
    expect(tab.locator("#clock-ahead")).to_have_text("60 s ahead")
    assert int(card.locator("progress").get_attribute("value") or 0) >= 5
    card.get_by_role("button", name="Hold").click()
    expect(card.locator(".pill", has_text="held")).to_be_visible()
    card.get_by_role("button", name="Ready now").click()
    expect(card.locator(".pill", has_text="ready")).to_be_visible()
    expect(card.locator(".picture img")).to_be_visible()
    card.get_by_role("button", name="Send ready again").click()
    expect(tab.locator("#event-list .what", has_text="video.asset.ready")).to_have_count(2)
    card.get_by_role("button", name="Error").click()
    expect(card.locator(".complaint")).to_contain_text("invalid_input")
    card.get_by_role("button", name="Delete in dashboard").click()
    expect(card).to_have_count(0)
    assert control.assets() == []
    assert errors == []
    sdk.close()


def test_what_is_open_stays_open_while_the_page_lives_on(
    sim: Simulator, sdk: Sdk, control: Control, tab: Page
) -> None:
    sdk.upload("public", passthrough="first")
    tab.goto(sim.url + "/_sim")
    row = tab.locator("#event-list details").first
    row.locator("summary").click()
    expect(row.locator("pre").last).to_contain_text('"type": "video.upload.created"')
    for _ in range(3):
        sdk.upload("public", passthrough="more")
    expect(tab.locator("#event-list details")).to_have_count(4)
    opened = tab.locator("#event-list details[open]")
    expect(opened).to_have_count(1)
    expect(opened.locator(".about")).to_have_text("first")
    opened.get_by_role("button", name="Send again").click()
    expect(opened.locator("summary .pill")).to_have_count(2)


def test_faults_clock_switches_and_reset(
    sim: Simulator, sdk: Sdk, control: Control, tab: Page, errors: list[str]
) -> None:
    tab.goto(sim.url + "/_sim")
    tab.get_by_label("3 times").check()
    tab.get_by_role("group", name="API answers").get_by_role("button", name="429", exact=True).click()
    expect(tab.locator("#fault-active .row")).to_contain_text("3 more")
    tab.get_by_label("30 %").check()
    tab.get_by_role("group", name="Webhooks").get_by_role("button", name="Drop").click()
    expect(tab.locator("#fault-active .row")).to_have_count(2)
    assert [(one["kind"], one["times"], one["share"]) for one in control.state()["faults"]] == [
        ("rate_limited", 3, None),
        ("drop", None, 0.3),
    ]
    tab.locator("#fault-active").get_by_role("button", name="Remove").first.click()
    expect(tab.locator("#fault-active .row")).to_have_count(1)
    tab.get_by_text("A rule of your own").click()
    tab.locator("#fault-json").fill("{]")
    tab.get_by_role("button", name="Add rule").click()
    expect(tab.locator("#toast")).to_have_text("That is not JSON")
    tab.get_by_label("free plan").check()
    control.wait_for(lambda: control.state()["switches"]["free_plan"])
    tab.get_by_label("retry after").select_option("seconds")
    control.wait_for(lambda: control.state()["switches"]["retry_after"] == "seconds")
    tab.get_by_role("button", name="Hold processing").click()
    expect(tab.get_by_role("button", name="Processing held · resume")).to_have_attribute(
        "aria-pressed", "true"
    )
    tab.get_by_role("button", name="Foreign asset").click()
    expect(tab.locator("#event-list .what")).to_have_text(["video.asset.ready"])
    tab.get_by_role("button", name="Reset", exact=True).first.click()
    tab.get_by_role("button", name="Keep everything").click()
    assert control.state()["switches"]["hold_processing"] is True
    tab.locator("#reset").click()
    tab.locator("#sure .danger").click()
    expect(tab.locator("#fault-active .row")).to_have_count(0)
    assert control.state()["switches"]["free_plan"] is False
    assert errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_and_reads_well(
    sim: Simulator, sdk: Sdk, control: Control, tab: Page, theme: str, width: int
) -> None:
    control.complete_upload(
        sdk.upload("public", meta={"title": "A lesson with quite a long name that goes on and on"}).id
    )
    control.hold_processing()
    control.complete_upload(sdk.upload("signed").id)
    control.fault("api", "reset", match={"operation": "get_asset"})
    sdk.upload()
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto(sim.url + "/_sim")
    tab.evaluate(AXE.read_text())
    for name in ("videos", "events", "faults", "calls", "switches"):
        if width == 390:
            tab.locator(f"[data-tab={name}]").click()
        expect(tab.locator(f"#{name}")).to_be_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.wait_for_timeout(50)
        found = tab.evaluate(
            "async () => (await axe.run()).violations.map((one) => [one.id, one.nodes.map((node) => node.html)])"
        )
        assert found == [], (name, theme)
        if width != 390:
            break


def test_a_permission_is_taken_from_a_token(
    sim: Simulator, sdk: Sdk, control: Control, tab: Page, errors: list[str]
) -> None:
    tab.goto(sim.url + "/_sim")
    row = tab.locator("#token-list .row", has_text="worker-token")
    row.get_by_label("system:write").uncheck()
    control.wait_for(
        lambda: [one for one in control.state()["tokens"] if "system:write" not in one["permissions"]]
    )
    assert [one["id"] for one in control.state()["tokens"] if "system:write" not in one["permissions"]] == [
        "worker-token"
    ]
    row.get_by_label("system:write").check()
    control.wait_for(lambda: all("system:write" in one["permissions"] for one in control.state()["tokens"]))
    assert errors == []
