"""Each fault that the simulator can make, as support meets it: from the panel's first page to the sentence that names the
cause, to the button that cures it, and to the cured state. Where support cannot cure it, the sentence says who can, and
leads there. The table is held to the simulator's own: a new fault there needs a row here.
"""

import re
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from muxsim import faults
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.browser.stack import Person, Stack, Visitor

NO_FILE = "The file of the video has not arrived: "
NOT_THE_FILE = "The file is not the cause."
PLAYS = "It is published and plays."
LOST = "Messages of Mux about this upload do not arrive."
REFUSED = "Messages of Mux are refused"
PUT_SECONDS = 2.0
WHOLE = f"bytes 0-{len(SAMPLE_VIDEO) - 1}/{len(SAMPLE_VIDEO)}"
FORGERIES = 3  # so many refused messages are an outage


@dataclass(frozen=True)
class Row:
    """What a fault leads to: the cause and the words that name it. `params`: of the fault."""

    cause: str
    words: str
    params: dict[str, Any] = field(default_factory=dict)


AWAY = Row("mux_unreachable", NOT_THE_FILE)
ANSWERED = Row("no_file", NO_FILE)
FINE = Row("published", PLAYS)
SILENT = Row("webhooks_silent", LOST)
FORGED = Row("webhooks_refused", REFUSED)

API = {
    "status": Row("mux_unreachable", NOT_THE_FILE, {"status": 500}),
    "rate_limited": Row("mux_busy", "wait a minute"),
    "hang": AWAY,
    "slow": Row("no_file", NO_FILE, {"seconds": 0.1}),
    "reset": AWAY,
    "html": AWAY,
    "truncated_json": AWAY,
    "cut_body": AWAY,
    "empty_body": AWAY,
    "not_utf8": AWAY,
    "wrong_status": ANSWERED,
    "drip": AWAY,
    "unknown_enum": Row("no_file", NO_FILE, {"field": "status"}),
    "missing_field": Row("mux_unreachable", NOT_THE_FILE, {"field": "id"}),
}
# By whether the file arrives all the same.
UPLOAD = {
    "status": Row("no_file", NO_FILE, {"status": 503}),
    "rate_limited": ANSWERED,
    "hang": ANSWERED,
    "slow": Row("published", PLAYS, {"seconds": 0.1}),
    "reset": ANSWERED,
    "html": ANSWERED,
    "truncated_json": FINE,
    "cut_body": FINE,
    "empty_body": FINE,
    "not_utf8": FINE,
    "wrong_status": FINE,
    "drip": FINE,
    "lost_chunk": ANSWERED,
    "no_range": FINE,
    "final_308": ANSWERED,
}
WEBHOOK = {
    "drop": SILENT,
    "delay": Row("webhooks_silent", LOST, {"seconds": 3600}),
    "duplicate": FINE,
    "reorder": FINE,
    "shuffle": FINE,
    "truncated_body": FORGED,
    "not_json": FORGED,
    "unknown_type": Row("bytes_sent", "Mux has not confirmed it yet."),
    "odd_content": FINE,
    "wrong_secret": FORGED,
    "old_secret": FORGED,
    "no_signature": FORGED,
    "malformed_signature": FORGED,
    "old_scheme": FORGED,
    "stale_timestamp": FORGED,
    "future_timestamp": FORGED,
    "tampered_body": FORGED,
}
# What is played goes from Mux to the viewer: no row changes, and the player on the page shows what viewers see.
PLAYBACK = dict.fromkeys(faults.HTTP_KINDS, FINE)
TABLE = {"api": API, "upload": UPLOAD, "webhook": WEBHOOK, "playback": PLAYBACK}


def test_every_fault_of_the_simulator_has_a_row() -> None:
    assert {target: set(rows) for target, rows in TABLE.items()} == {
        target: set(kinds) for target, kinds in faults.KINDS.items()
    }


@dataclass
class Upload:
    """An upload that Tina began, and the lesson that it is for."""

    title: str
    lesson: str
    id: str
    url: str


class Support:
    """Support at work: Tina's uploads, the panel, and what its page says of one of them."""

    def __init__(self, stack: Stack, tina: Person, hers: Page, panel: Page) -> None:
        self.stack, self.tina, self.panel, self._hers = stack, tina, panel, hers
        token = re.search(r'name="csrf-token" content="([^"]+)"', hers.request.get("/account").text())
        assert token is not None
        self._headers = {"X-CSRFToken": token[1]}

    def ask_for_upload(self, lesson: str) -> Any:
        body = {"lesson_id": lesson, "filename": "talk.mp4", "size": len(SAMPLE_VIDEO)}
        return self._hers.request.post("/api/mux/upload-url", data=body, headers=self._headers)

    def begin(self, title: str) -> Upload:
        lesson = self.stack.lesson(self.tina, title=title)
        answer = self.ask_for_upload(lesson)
        assert answer.status == 201, answer.text()
        return Upload(title, lesson, answer.json()["upload_id"], answer.json()["upload_url"])

    def grow_old(self, *uploads: Upload, sent: bool) -> None:
        """As if it had begun two hours ago, and sent everything two minutes ago; no process looks at it before tomorrow."""
        self.stack.sql(
            "UPDATE mux_asset_tracking SET created_at = now() - interval '2 hours', next_check_at = now() + interval '1 day',"
            " bytes_in_at = CASE WHEN %s THEN now() - interval '2 minutes' END WHERE upload_id = ANY(%s)",
            sent,
            [one.id for one in uploads],
        )

    def leave_to_support(self, upload: Upload) -> None:
        """What failed is repeated by the workers within seconds, with their own token: the upload's next check and the row of
        the bulk action. Here only support asks."""
        self.stack.sql(
            "UPDATE mux_asset_tracking SET next_check_at = now() + interval '1 day' WHERE upload_id = %s",
            upload.id,
        )
        self.stack.sql(
            "UPDATE batch_items SET due_at = now() + interval '1 day' WHERE target_id = %s AND status IN ('open', 'running')",
            upload.lesson,
        )

    def published(self, upload: Upload) -> bool:
        return self.stack.sql("SELECT status FROM lessons WHERE id = %s", upload.lesson) == [("published",)]

    def find(self, title: str) -> None:
        """From the first page, by its title."""
        self.panel.goto("/admin/")
        self.panel.get_by_role("searchbox").first.fill(title)
        self.panel.keyboard.press("Enter")
        heading = self.panel.get_by_role("heading", level=1)
        expect(heading).not_to_have_text("Operations")
        if heading.inner_text() != title:
            self.panel.get_by_role("link", name=title).first.click()
        expect(heading).to_have_text(title)

    def open(self, upload: Upload) -> None:
        self.panel.goto(f"/admin/lesson/details/?id={upload.lesson}", wait_until="domcontentloaded")

    def says(self, row: Row) -> Locator:
        found = self.panel.locator(f"#case [data-cause={row.cause}]")
        expect(found).to_contain_text(row.words)
        return found

    def press(self, label: str) -> None:
        with self.panel.expect_navigation(wait_until="domcontentloaded"):
            self.panel.locator("#case").get_by_role("button", name=label, exact=True).first.click()


@pytest.fixture
def support(stack: Stack, instructor: Person, page: Page, visit: Visitor) -> Support:
    return Support(stack, instructor, page, visit(stack.person("support", "Sam Support"), errors=True))


def test_mux_answers_wrongly_or_not_at_all(support: Support) -> None:
    """Asking failed: that is said as an outage, and asking again cures it as soon as Mux is well."""
    upload = support.begin("Answers")
    support.grow_old(upload, sent=False)
    support.find("Answers")
    for kind, row in API.items():
        match = {"operation": "get_upload", "path": f"*{upload.id}*", "token_id": "web-token"}
        support.stack.mux.fault("api", kind, match=match, **row.params)
        support.leave_to_support(upload)
        support.press("Check with Mux")
        support.says(row)
        support.stack.mux.clear_faults()
        if row.cause != "no_file":
            support.press("Check with Mux")
            support.says(ANSWERED)
            expect(support.panel.locator(f"[data-cause={row.cause}]")).to_have_count(0)


def test_mux_refuses_our_token(support: Support) -> None:
    """Only an operator ends that: the page says so, leads to the doctor, and asks Tina for what never began."""
    lesson = support.stack.lesson(support.tina, title="Refused")
    support.stack.mux.fault("api", "status", match={"operation": "create_upload"}, status=401)
    assert support.ask_for_upload(lesson).status == 503
    support.stack.mux.clear_faults()
    support.find("Refused")
    found = support.says(Row("wrong_token", "so no upload began. The file is not the cause."))
    expect(found.get_by_role("link", name="Open the doctor")).to_have_attribute("href", "/admin/doctor/")
    support.press("Ask the instructor to upload again")
    expect(support.panel.locator("#case")).to_contain_text("Asked Tina Instructor on")
    assert support.ask_for_upload(lesson).status == 201
    support.find("Refused")
    support.says(Row("no_bytes", "no file has arrived"))


def put(url: str) -> None:
    """The file as a browser sends it, which gives up when Mux says no."""
    request = urllib.request.Request(
        url, data=SAMPLE_VIDEO, method="PUT", headers={"Content-Type": "video/mp4", "Content-Range": WHOLE}
    )
    with (
        suppress(OSError, urllib.error.URLError),
        urllib.request.urlopen(request, timeout=PUT_SECONDS) as answer,
    ):
        answer.read()


def test_the_file_does_not_get_through(support: Support) -> None:
    """Mux is asked, has no file, and Tina is asked for it; what gets through all the same needs nothing."""
    uploads = {kind: support.begin(f"File {kind}") for kind in UPLOAD}
    for kind, upload in uploads.items():
        support.stack.mux.fault(
            "upload", kind, match={"upload_id": upload.id, "method": "PUT"}, **UPLOAD[kind].params
        )
        put(upload.url)
    support.stack.mux.clear_faults()
    for kind, upload in uploads.items():
        if UPLOAD[kind].cause == "published":
            support.stack.until(partial(support.published, upload))
    stuck = {kind: upload for kind, upload in uploads.items() if UPLOAD[kind].cause == "no_file"}
    support.grow_old(*stuck.values(), sent=False)
    support.find("File status")
    for kind, upload in uploads.items():
        support.open(upload)
        if kind in stuck:
            support.press("Check with Mux")
            support.says(UPLOAD[kind])
            support.press("Ask the instructor to upload again")
            expect(support.panel.locator("#case")).to_contain_text("Asked Tina Instructor on")
        else:
            support.says(UPLOAD[kind])
    support.open(next(iter(stuck.values())))
    support.press("Cancel the upload")
    support.says(Row("cancelled", "The upload was cancelled here."))


def test_messages_get_lost_or_are_refused(support: Support) -> None:
    """Asking Mux brings what the messages did not; what is repeated or out of order needs nothing."""
    uploads = {kind: support.begin(f"Message {kind}") for kind in WEBHOOK}
    support.stack.mux.flush_events()
    for cause in ("published", "bytes_sent", "webhooks_silent", "webhooks_refused"):
        group = {
            uploads[kind].id: (uploads[kind], row) for kind, row in WEBHOOK.items() if row.cause == cause
        }
        for kind, row in WEBHOOK.items():
            if row.cause == cause:
                support.stack.mux.fault("webhook", kind, match={"upload_id": uploads[kind].id}, **row.params)
                support.stack.mux.complete_upload(uploads[kind].id)
        if cause != "published":
            support.grow_old(*(upload for upload, _ in group.values()), sent=True)
        support.stack.until(partial(arrived, support, cause, [one for one, _ in group.values()]))
        support.find(next(iter(group.values()))[0].title)
        for upload, row in group.values():
            support.open(upload)
            found = support.says(row)
            if cause.startswith("webhooks"):
                expect(found.get_by_role("link", name="Open the doctor")).to_be_visible()
            if cause != "published":
                support.press("Check with Mux")
                support.says(FINE)
    support.stack.mux.clear_faults()
    support.stack.sql("DELETE FROM hourly_figures WHERE figure = 'rejected'")  # other tests share the panel


def arrived(support: Support, cause: str, uploads: list[Upload]) -> bool:
    """What is to be seen of these faults is there."""
    if cause == "published":
        return all(support.published(upload) for upload in uploads)
    if cause != "webhooks_refused":
        return all(
            support.stack.mux.asset(support.stack.mux.upload(one.id)["asset_id"])["status"] == "ready"
            for one in uploads
        )
    ((refused,),) = support.stack.sql(
        "SELECT coalesce(sum(count), 0) FROM hourly_figures WHERE figure = 'rejected'"
    )
    return bool(refused >= FORGERIES)


def test_what_viewers_get_is_broken(support: Support) -> None:
    """Nothing of it is the lesson's: it stays published, and the page has the player that viewers have."""
    upload = support.begin("Playback")
    put(upload.url)
    support.stack.until(lambda: support.published(upload))
    support.find("Playback")
    for kind in PLAYBACK:
        support.stack.mux.fault("playback", kind)
        support.open(upload)
        support.says(FINE)
        expect(support.panel.locator("mux-player")).to_have_count(1)
        support.stack.mux.clear_faults()
