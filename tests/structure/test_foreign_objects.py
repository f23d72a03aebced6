"""What belongs to another person is asked for wherever a request can name it: in the address, the query, a form, JSON, a search, an
export, a bulk action. The answer holds none of it, is byte for byte that of something that never existed, and costs the same
statements."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from lessonadmin import auth
from lessonadmin.database import row_access
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.models import Lesson
from lessonadmin.views.api.request_parsing import ALSO_CALLED
from tests.queries import counted
from tests.structure import matrix
from tests.structure.matrix import COUNTERS, Measuring, Row
from tests.structure.world import AT_MUX, CANARY, IDS, World

PROBERS = ("foreign", "student")
HERS = frozenset(("draft", "sending", "thrown", "thrown_course", "course", "section", "upload", "upload_open", "captions", "notice", "session", "token", "passkey", "preview_link", "file", "file_removed", "file_open", "file_sold", "filter", "batch", "own_batch", "item", "item_done",
    "event", "deletion", "audit", "asset", "asset_gone", "playback", "mux_upload", "mux_upload_open", "mux_event", "purchase", "own", "subject"))  # fmt: skip
# What changes from answer to answer, whatever was asked.
VARY = re.compile(
    r"(?<=name=.page_id. value=.)[0-9a-f-]{36}|m\.[\w-]{40,}|nonce=\"[\w-]+\"|'nonce-[\w-]+'|\b[0-9a-f]{32}\b|(?<=/lessons/bulk/)[0-9a-f-]{36}|(?<=>)\d+ seconds ago|(?<=>)just now"
)
HEADERS = ("X-Request-Id", "Set-Cookie", "Date", "Content-Length")


@dataclass(frozen=True)
class Probe:
    """One request, with `{names}` of the world. `row`: the row of the matrix that it is made of."""

    who: str
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.who}: {self.method} {self.path} {self.query or ''}{self.form or ''}{self.json or ''}{self.headers or ''}"

    @property
    def said(self) -> set[str]:
        """Everything of the world that the request says itself."""
        return set(re.findall(r"\{(\w+)\}", str((self.path, self.query, self.form, self.json))))

    @property
    def names(self) -> set[str]:
        """Of these, what is another person's."""
        return self.said & HERS


def of_the_matrix(app: Flask) -> Iterator[Probe]:
    """Every route that can name something of hers: as it is, by HEAD, as an open page asks, and by the names of older scripts."""
    for row in matrix.rows_of(app):
        path = address_with_names(row)
        query, form, json = row.ask.query, row.ask.form, row.ask.json
        if row.endpoint.endswith(".edit_view"):
            query = {"id": matrix.PANEL[row.endpoint.partition(".")[0].removeprefix("admin_")]}
        for who in PROBERS:
            probe = Probe(who, row.method, path, query, form if row.method != "GET" else None, json)
            if not probe.names or "preview_secret" in probe.said:  # who has the secret may see what it opens
                continue
            yield probe
            if row.method == "GET" and not path.startswith("/admin/"):
                yield Probe(who, "HEAD", path, query)
                yield Probe(who, "GET", path, query | {"attempt": "1"}, headers={"X-Fragment": "video"})
            if json is not None:
                yield from in_other_words(probe)


def in_other_words(probe: Probe) -> Iterator[Probe]:
    """The names that older scripts use, and the query in the place of the body."""
    other = {new: old for old, new in ALSO_CALLED.items()}
    json = probe.json or {}
    if any(name in other for name in json):
        yield Probe(probe.who, probe.method, probe.path, json={other.get(name, name): value for name, value in json.items()})  # fmt: skip
    yield Probe(probe.who, probe.method, probe.path, query={name: str(value) for name, value in json.items()})


def address_with_names(row: Row) -> str:
    """The address with `{names}` for what can be filled in."""
    values = {**matrix.PATH, **row.ask.path}

    def value(found: re.Match[str]) -> str:
        options = re.match(r"<any\((\w+)", found[0])
        return values.get(found[1], options[1] if options else "x")

    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", value, row.rule.rule)


NESTED = [
    ("PATCH", "/api/lessons/{their_lesson}", {"json": {"course_id": "{course}"}}),
    ("PATCH", "/api/lessons/{their_lesson}", {"json": {"courseId": "{course}"}}),
    ("POST", "/api/lessons", {"json": {"title": "x", "course_id": "{course}"}}),
    ("POST", "/api/mux/track-upload", {"json": {"lesson_id": "{their_lesson}", "upload_id": "{mux_upload_open}"}}),
    ("POST", "/api/mux/track-upload", {"json": {"lesson_id": "{their_lesson}", "upload_id": "{mux_upload}"}}),
    ("POST", "/api/mux/track-upload", {"json": {"course_id": "{their_course}", "upload_id": "{mux_upload_open}"}}),
    ("POST", "/api/mux/track-upload", {"json": {"course_id": "{course}", "upload_id": "{mux_upload_open}"}}),
    ("POST", "/api/mux/cancel-upload", {"json": {"upload_id": "{mux_upload}"}}),
    ("POST", "/api/mux/cancel-upload", {"json": {"muxUploadId": "{mux_upload_open}"}}),
    ("POST", "/api/mux/resume-upload", {"json": {"upload_id": "{mux_upload}"}}),
    ("POST", "/api/mux/resume-upload", {"json": {"muxUploadId": "{mux_upload_open}"}}),
    ("POST", "/api/mux/upload-url", {"query": {"lesson_id": "{sending}", "filename": "x.mp4"}}),
    ("POST", "/api/mux/upload-url", {"query": {"courseId": "{course}", "filename": "x.mp4"}}),
    ("DELETE", "/api/mux/assets/{asset_gone}", {}),
    ("DELETE", "/api/mux/assets/{playback}", {}),
    ("DELETE", "/api/mux/assets/{mux_upload}", {}),
    ("POST", "/lessons/new", {"form": matrix.LESSON | {"course_id": "{course}"}}),
    ("POST", "/lessons/{their_lesson}/edit", {"form": matrix.LESSON | {"course_id": "{course}"}}),
    ("POST", "/courses/{their_course}/order", {"form": {"lesson_id": "{draft}"}}),
    ("GET", "/lessons/new", {"query": {"course_id": "{course}"}}),
    ("GET", "/api/lessons", {"query": {"course_id": "{course}"}}),
    ("GET", "/lessons", {"query": {"course_id": "{course}"}}),
    ("GET", "/catalog", {"query": {"course_id": "{course}"}}),
    ("GET", "/catalog/mine", {"query": {"course_id": "{course}"}}),
    ("GET", "/notifications", {"query": {"before": "{notice}"}}),
    ("POST", "/notifications/read", {"form": {"until": "{notice}"}}),
    ("POST", "/account/sessions/end", {"form": {"session_id": "{session}"}}),
    ("POST", "/lessons/{draft}/unsaved-changes", {"form": {"page_id": "{their_lesson}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "publish", "rowid": ["{draft}", "{sending}"]}}),
    ("POST", "/lessons/bulk", {"form": {"action": "unpublish", "rowid": ["{draft}", "{their_lesson}"], "once": "{draft}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "publish", "scope": "filter", "query": "q={asset}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "move", "rowid": "{their_lesson}", "course_id": "{course}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "move", "rowid": "{their_lesson}", "course_id": "{course}", "once": "{course}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "trash", "rowid": ["{draft}", "{sending}"], "once": "{draft}"}}),
    ("POST", "/lessons/bulk", {"form": {"action": "set_price", "rowid": ["{their_lesson}", "{draft}"], "price": "0", "once": "{draft}"}}),
    ("GET", "/lessons/bulk/{batch}", {}),
    ("POST", "/trash/restore", {"form": {"action": "restore_as_draft", "course_id": "{thrown_course}", "rowid": "{thrown}"}}),
    ("POST", "/trash/restore", {"form": {"action": "restore_as_draft", "sure": "1", "course_id": "{thrown_course}"}}),
    ("GET", "/lessons/{upload}/edit", {}),
    ("GET", "/courses/{draft}/edit", {}),
    ("GET", "/api/lessons/{course}", {}),
    ("POST", "/api/lessons/{draft}/purchase", {}),
    ("POST", "/admin/lesson/action/", {"form": {"action": "publish", "scope": "filter", "query": "search={asset}"}}),
    ("POST", "/admin/lesson/action/", {"form": {"action": "clear_asset", "rowid": ["{draft}", "{sending}"]}}),
    ("POST", "/admin/lesson/saved-filters/", {"form": {"do": "remove", "id": "{filter}"}}),
]  # fmt: skip
# Each finds something of hers for a person who may see it; none of these words is the canary itself.
WORDS = (
    "draft",
    "sending",
    "words",
    "said",
    "{asset}",
    "{playback}",
    "{draft}",
    "{own_email}",
    "Own",
)
SEARCHES = (
    "/api/lessons",
    "/api/courses",
    "/lessons",
    "/courses",
    "/catalog",
    "/catalog/courses",
    "/catalog/mine",
    "/admin/search/",
)


def nested() -> Iterator[Probe]:
    for who in PROBERS:
        for method, path, sent in NESTED:
            yield Probe(who, method, path, **sent)


def searches() -> Iterator[Probe]:
    for who in PROBERS:
        for path in SEARCHES:
            for words in WORDS:
                yield Probe(who, "GET", path, {"q": words})
        for slug in ("lesson", "course", "purchase", "audit"):
            yield Probe(who, "GET", f"/admin/{slug}/export/csv/", {"search": "draft"})


def send(app: Flask, probe: Probe, world: World) -> tuple[Any, list[str]]:
    """The answer, and the statements that it took."""
    browser = app.test_client(use_cookies=False)
    wanted: dict[str, Any] = {"query_string": world.fill(probe.query)}
    if probe.json is not None:
        wanted["json"] = world.fill(probe.json)
    elif probe.method in ("POST", "PATCH", "DELETE"):
        wanted["json" if probe.path.startswith("/api/") else "data"] = world.fill(probe.form or {})
    with counted() as statements:
        answer = browser.open(
            world.fill(probe.path),
            method=probe.method,
            headers=world.headers[probe.who] | probe.headers,
            **wanted,
        )
    return answer, statements


def shape(answer: Any, probe: Probe, world: World) -> tuple[object, ...]:
    """An answer without what varies, and without what the request itself has said."""

    def plain(text: str) -> str:
        for name in probe.names:
            text = text.replace(world[name], "ID")
        return VARY.sub("…", text)

    headers = sorted((name, plain(value)) for name, value in answer.headers if name not in HEADERS)
    return answer.status_code, headers, plain(answer.get_data(as_text=True))


def _first(one: tuple[object, ...], other: tuple[object, ...]) -> str:
    """Where two answers begin to differ."""
    place = next((n for n, (a, b) in enumerate(zip(str(one), str(other), strict=False)) if a != b), 0)
    return f" at {str(one)[max(0, place - 60) : place + 60]!r} / {str(other)[place : place + 60]!r}"


def with_nothing_behind_it(world: World) -> World:
    """The same world by name, and ids of no row."""
    ids = world.ids | {name: str(uuid.uuid4()) for name in HERS & {*IDS, "own", "subject"}}
    ids |= {name: f"{CANARY}{uuid.uuid4().hex}" for name in HERS & {*AT_MUX}}
    return World(ids, world.headers)


def faults(measuring: Measuring, probes: list[Probe]) -> dict[str, list[str]]:
    """What is wrong with the answers: a canary, a change, a difference to what is missing, or in the statements."""
    app, found = measuring.app, {}
    world = measuring.world()
    missing = with_nothing_behind_it(world)
    for probe in probes:
        answer, statements = send(app, probe, world)
        changed = measuring.changes.tables() - COUNTERS
        other, others = send(app, probe, missing)
        other_changed = measuring.changes.tables() - COUNTERS
        wrong = []
        seen = answer.get_data(as_text=True) + str(answer.headers)
        for name in probe.said:
            seen = seen.replace(world[name], "")
        if CANARY in seen:
            wrong.append("canary")
        if changed != other_changed:
            wrong.append(f"changed {sorted(changed)}")
        if probe.names and shape(answer, probe, world) != shape(other, probe, missing):
            wrong.append(
                f"unlike missing: {answer.status_code} and {other.status_code}{_first(shape(answer, probe, world), shape(other, probe, missing))}"
            )
        if probe.names and statements != others:
            wrong.append(f"statements: {len(statements)} and {len(others)}")
        if wrong:
            found[str(probe)] = wrong
        if changed or other_changed:
            measuring._world = None
            world = measuring.world()
            missing = with_nothing_behind_it(world)
    return found


# A lesson that is not for sale answers 409 by contract, so a student who knows the id of a draft learns that it is there.
BY_CONTRACT = {
    "student: POST /api/lessons/{draft}/purchase ",
    "student: POST /catalog/{draft}/purchase {'price_cents': '900'}",
}


@pytest.mark.timeout(400)
def test_what_is_foreign_is_as_if_it_were_not_there(
    app: Flask, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = [*of_the_matrix(app), *nested(), *searches()]
    assert len(probes) >= 300
    monkeypatch.setattr(rate_limits, "MAX_LISTS", 10_000)
    found = {probe: wrong for probe, wrong in faults(measuring, probes).items() if probe not in BY_CONTRACT}
    assert found == {}


def test_of_the_probes_their_words_find_what_they_look_for(app: Flask, measuring: Measuring) -> None:
    """For the person whose it is, or for staff."""
    world = measuring.world()
    lists = {"own": ("/api/lessons", "/lessons"), "support": ("/admin/search/",)}
    told = "".join(
        send(app, Probe(who, "GET", path, {"q": words}), world)[0].get_data(as_text=True)
        for who, paths in lists.items() for path in paths for words in ("draft", "sending", "words")
    )  # fmt: skip
    assert f"{CANARY} draft" in told
    assert f"{CANARY} sending" in told
    for path in lists["own"]:
        spoken = send(app, Probe("own", "GET", path, {"q": "said"}), world)[0].get_data(as_text=True)
        assert f"{CANARY} draft" in spoken, "what is said in her video"


def every_instructor_owns(user: Any, owner: Any) -> bool:
    return bool(user.teaches)


GONE: dict[str, tuple[Any, str, Any, list[Probe], str]] = {
    "whose a lesson is": (permissions, "owns", every_instructor_owns, [Probe("foreign", "GET", "/lessons/{draft}/edit")], "canary"),
    "which lessons a list shows": (permissions, "lessons_for", lambda user: Lesson.id.is_not(None), [Probe("foreign", "GET", "/api/lessons", {"q": "draft"}), Probe("student", "GET", "/api/lessons", {"q": "sending"})], "canary"),
    "the guard of the panel": (auth, "guard_for", lambda endpoint, blueprint: auth.SIGNED_IN, [Probe("foreign", "GET", "/admin/lesson/details/", {"id": "{draft}"}), Probe("student", "GET", "/admin/lesson/export/csv/", {"search": "draft"})], "canary"),
    "foreign is missing": (permissions, "owns", lambda user, owner: _refuse_openly(user, owner), [Probe("foreign", "GET", "/lessons/{draft}/edit")], "unlike missing"),
    "foreign costs as much as missing": (permissions, "owns", lambda user, owner: _ask_once_more(owner), [Probe("foreign", "GET", "/lessons/{draft}/edit")], "statements"),
}  # fmt: skip


def _refuse_openly(user: Any, owner: Any) -> bool:
    if owner.owner_id != user.id:
        raise permissions.Forbidden("forbidden", "It is there, and not yours.")
    return True


def _ask_once_more(owner: Any) -> bool:
    permissions.bought_among(owner, [owner.id])
    return False


@pytest.mark.parametrize("wall", GONE)
def test_of_the_probes_a_wall_that_is_gone_is_seen(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch, wall: str
) -> None:
    where, name, instead, probes, fault = GONE[wall]
    # the second wall, in the database, would hide that the first is gone
    monkeypatch.setattr(row_access, "use", lambda access: None)
    monkeypatch.setattr(where, name, instead)
    found = faults(measuring, probes)
    assert len(found) == len(probes)
    assert all(fault in str(wrong) for wrong in found.values()), found
