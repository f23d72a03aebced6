"""`bin/pictures`: the README's pictures, taken from the running product.

Starts the whole product on data of its own, does in a browser what the pictures show, and writes docs/pictures/.
`bin/pictures stills` and `bin/pictures moving` make one kind only.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from devstack import places
from devstack.commands import moving_picture
from devstack.errors import SetupError, told
from devstack.install import chromium as install_chromium

FOLDER = places.ROOT / "docs" / "pictures"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
DESKTOP, PHONE = {"width": 1280, "height": 820}, {"width": 390, "height": 844}
TIMEOUT_SECONDS = 120
ACCOUNT = re.compile(r"^(\S+@\S+) (\S+) (admin|support|instructor|student)$", re.MULTILINE)
SIMULATOR = re.compile(r"Break things at\s+(\S+)")
KINDS = ("stills", "moving")
SAMPLE = places.ROOT / "lessonadmin" / "demo" / "sample.mp4"


@dataclass(frozen=True)
class Running:
    """The product on fresh data: its address, its simulator's page, and e-mail and password by role."""

    address: str
    simulator: str
    accounts: dict[str, tuple[str, str]]


@contextmanager
def stack() -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lessonadmin-pictures-") as folder:
        log = Path(folder) / "log"
        environment = os.environ | {"PORT": str(port), "LESSONADMIN_INSTANCE": f"{folder}/instance"}
        with log.open("w") as output:
            run = subprocess.Popen(
                [places.ROOT / "bin" / "run"], env=environment, stdout=output, stderr=output
            )
        try:
            said = _said_at_the_start(run, log)
            accounts = {role: (email, password) for email, password, role in ACCOUNT.findall(said)}
            simulator = SIMULATOR.findall(said)[0]
            yield Running(f"http://127.0.0.1:{port}", simulator, accounts)
        finally:
            run.terminate()
            run.wait(60)


def _said_at_the_start(run: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and run.poll() is None:
        said = log.read_text()
        if "Ctrl-C" in said:
            return said
        time.sleep(0.5)
    raise SetupError("bin/run did not start:\n" + log.read_text()[-800:])


def sign_in(chromium: Browser, address: str, account: tuple[str, str], *, phone: bool = False) -> Page:
    page = chromium.new_page(viewport=PHONE if phone else DESKTOP, device_scale_factor=1)  # type: ignore[arg-type]
    page.goto(f"{address}/login")
    page.fill("[name=email]", account[0])
    page.fill("[name=password]", account[1])
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def take(page: Page, name: str) -> None:
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/pictures/{name}.png", flush=True)


def teach(page: Page, address: str) -> None:
    """From a file to a published lesson, a picture a step."""
    page.goto(f"{address}/lessons/new")
    page.fill("[name=title]", "Painting reflections in water")
    page.fill(
        "[name=description]", "Why the reflection is darker than the thing, and what the wind does to it."
    )
    page.fill("[name=price]", "4.99")
    slow = page.context.new_cdp_session(page)
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 9_000}
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", line)  # a school's line, so that there is something to see
    page.locator("mux-uploader input[type=file]").first.set_input_files(SAMPLE)
    _wait_for_share(page, 30)
    take(page, "uploading")
    slow.send("Network.emulateNetworkConditions", line | {"uploadThroughput": -1})
    page.get_by_test_id("video-status").filter(has_text="Processing").first.wait_for(timeout=60_000)
    take(page, "processing")
    page.get_by_test_id("lesson-status").filter(has_text="Published").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2500)
    take(page, "published")


def teach_many(page: Page, address: str, folder: Path) -> None:
    """A whole course at once, and how its uploads go on after an interruption."""
    page.goto(f"{address}/courses")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Upload many files").click()
    slow = page.context.new_cdp_session(page)
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 250_000}
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", line)
    page.evaluate("document.querySelector('.tray').dataset.partKib = '256'")
    page.locator("[data-part=all] [data-field=price]").fill("4.99")
    page.locator("[data-part=files]").set_input_files(_films(folder))
    _wait_for_figure(page, 35)
    page.set_viewport_size({"width": 1280, "height": 1500})
    take(page, "many-files")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.get_by_role("button", name="Choose the files again").wait_for()
    take(page, "going-on")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


def _films(folder: Path) -> list[Path]:
    """Copies of the sample, each made longer by a box that players pass over."""
    found = [folder / f"{name}.mp4" for name in ("1 Paper and brushes", "2 Washes", "3 Reflections in water")]
    for size, file in enumerate(found, start=6):
        content = os.urandom(size * 150_000)
        file.write_bytes(SAMPLE.read_bytes() + (len(content) + 8).to_bytes(4, "big") + b"free" + content)
    return found


def _wait_for_figure(page: Page, percent: int) -> None:
    figure = page.locator('.tray__row[data-state="sending"] [data-figure]').first
    deadline = time.monotonic() + 60
    while int((figure.text_content() or "0").split()[0]) < percent and time.monotonic() < deadline:
        page.wait_for_timeout(100)


def _wait_for_share(page: Page, percent: float) -> None:
    bar = page.get_by_test_id("video-progress").locator("progress").first
    deadline = time.monotonic() + 60
    while float(bar.get_attribute("value") or 0) < percent and time.monotonic() < deadline:
        page.wait_for_timeout(100)


def take_stills(chromium: Browser, running: Running) -> None:
    address, accounts = running.address, running.accounts
    page = sign_in(chromium, address, accounts["instructor"])
    teach(page, address)
    page.goto(f"{address}/lessons")
    take(page, "lessons")
    with tempfile.TemporaryDirectory(prefix="lessonadmin-films-") as folder:
        teach_many(page, address, Path(folder))
    phone = sign_in(chromium, address, accounts["instructor"], phone=True)
    phone.goto(f"{address}/lessons")
    take(phone, "phone")
    catalogue = sign_in(chromium, address, accounts["student"])
    catalogue.goto(f"{address}/catalog")
    take(catalogue, "catalogue")
    panel = sign_in(chromium, address, accounts["support"])
    panel.goto(f"{address}/admin/lesson/")
    take(panel, "panel")
    panel.goto(f"{address}/admin/")
    panel.locator(".figure", has_text="Uploads").locator("a", has_text=re.compile("[1-9]")).wait_for(
        timeout=TIMEOUT_SECONDS * 1000
    )  # the clock rolls the figures up once a minute
    take(panel, "operations")


def take_moving(chromium: Browser, running: Running) -> None:
    instructor = sign_in(chromium, running.address, running.accounts["instructor"])
    file = FOLDER / "healing.webp"
    moving_picture.record(chromium, instructor, running.simulator, running.address, SAMPLE, file)
    print(f"docs/pictures/{file.name}, {file.stat().st_size >> 10} KB", flush=True)


def main() -> int:
    kinds = sys.argv[1:] or list(KINDS)
    if unknown := set(kinds) - set(KINDS):
        raise SetupError(
            f"There are no pictures named {', '.join(sorted(unknown))}; there are: {', '.join(KINDS)}."
        )
    program = install_chromium.find()
    if program is None:
        raise SetupError("There is no Chromium on this machine to take pictures with.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stack() as running, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        if "stills" in kinds:
            take_stills(chromium, running)
        if "moving" in kinds:
            take_moving(chromium, running)
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
