"""Pages as a test reads them: the parts that matter, and the faults that no page may have."""

import re
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# pictures and films come from Mux's own addresses, which the policy lets through
MUX_SERVES = frozenset({"img", "mux-player"})
FORM_CONTROLS = frozenset({"input", "select", "textarea"})


class Page(HTMLParser):
    """A parsed page. `page.faults()` is empty for a good one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and "svg" in self._open:
            tag = "svg-title"  # of a part of a drawing, and not of the page
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and "svg" in self._open:
            tag = "svg-title"
        if not self._open or self._open[-1] != tag:
            self.unclosed.append(tag)
            if tag in self._open:
                while self._open.pop() != tag:
                    pass
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self._texts.setdefault(tag, []).append(data)

    def text(self, tag: str = "body") -> str:
        return " ".join("".join(self._texts.get(tag, [])).split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag and wanted.items() <= attrs.items()]

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} of <{tag} {wanted}>"
        return found[0]

    @property
    def csrf(self) -> str:
        return self.one("meta", name="csrf-token")["content"] or ""

    def faults(self) -> list[str]:
        """What no page may have, each in a few words."""
        found = [f"</{tag}> closes nothing" for tag in self.unclosed]
        found += [f"<{tag}> stays open" for tag in self._open]
        if [attrs.get("lang") for attrs in self.all("html")] != ["en"]:
            found.append("no language")
        for tag in ("main", "h1", "title"):
            if len(self.all(tag)) != 1:
                found.append(f"{len(self.all(tag))} <{tag}>")
        if not self.text("h1"):
            found.append("an empty h1")
        return found + self._forbidden() + self._ids() + self._labels()

    def _forbidden(self) -> list[str]:
        found = []
        for tag, attrs in self.elements:
            handlers = [name for name in attrs if name.startswith("on")]
            if handlers or "style" in attrs:
                found.append(f"<{tag}> with {handlers or 'style'}")
            if tag == "style" or (tag == "script" and not attrs.get("src")):
                found.append(f"inline <{tag}>")
            for name in ("href", "src", "action", "formaction"):
                address = attrs.get(name) or ""
                if name == "src" and tag in MUX_SERVES:
                    continue
                if re.match(r"\s*(javascript:|https?://|//)", address, re.IGNORECASE):
                    found.append(f"{name}={address[:40]}")
        return found

    def _ids(self) -> list[str]:
        ids = [attrs["id"] for _, attrs in self.elements if attrs.get("id")]
        found = [f"id {id_} twice" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}, key=str)]
        for tag, attrs in self.elements:
            for name in ("for", "aria-describedby", "aria-labelledby", "popovertarget", "data-dialog"):
                found += [
                    f"<{tag} {name}> names {id_}, which is not there"
                    for id_ in (attrs.get(name) or "").split()
                    if id_ not in ids
                ]
        return found

    def _labels(self) -> list[str]:
        labelled = {attrs.get("for") for attrs in self.all("label")}
        return [
            f"<{tag} name={attrs.get('name')}> without a label"
            for tag, attrs in self.elements
            if tag in FORM_CONTROLS
            and attrs.get("type") != "hidden"
            and attrs.get("aria-hidden") != "true"
            and not (attrs.get("id") in labelled or attrs.get("aria-label"))
            and not (tag == "input" and attrs.get("name") == "scope")  # stands inside its label
        ]


def page_of(response: Any) -> Page:
    """The page of an answer, which must be without faults."""
    assert response.mimetype == "text/html", response.mimetype
    page = Page(response.get_data(as_text=True))
    assert page.faults() == []
    return page


def csrf_of(browser: Any, path: str = "/login") -> str:
    """The token that a form of this browser would carry; `path` must be a page that it may see."""
    return page_of(browser.get(path)).csrf


def post(browser: FlaskClient, path: str, *, fragment: str = "", **data: Any) -> TestResponse:
    """Send a form with its CSRF token; with `fragment` as an open page does."""
    headers = {"X-Fragment": fragment} if fragment else {}
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data}, headers=headers)
