"""Descriptions in Markdown: as HTML for a page, and as plain words for a card or a list.

What instructors type is hostile text like any other. So HTML in it stays text (markdown-it), and the result passes a list of allowed elements
once more (nh3). No image, no script and no style comes of it, and a link leads to the web or to mail. Nothing here reads a file
or asks another server.
"""

from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

# Off: code by four spaces and headings by a line below, which older descriptions hold without meaning them; images, since pages load
# pictures from Mux and nowhere else.
OFF = ("code", "lheading", "html_block", "html_inline", "image")
# A page has its own title and sections: a “#” begins below them.
FIRST_HEADING, LAST_HEADING = 3, 6
ELEMENTS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
LINKS = "nofollow noopener noreferrer"
FOR_A_CARD = 1000  # characters
# Between what is a paragraph, a row or an entry of its own.
BLOCKS = frozenset(
    {"paragraph_close", "heading_close", "list_item_close", "tr_close", "th_close", "td_close", "fence", "hr"}
)


@lru_cache(maxsize=200)  # a page of 20,000 brackets costs half a second
def rendered(text: str) -> Markup:
    """For `{{ }}` in a template; every line break that was typed is kept."""
    found = nh3.clean(
        _reader().render(text),
        tags=ELEMENTS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=LINKS,
        attribute_filter=_to_the_web,
    )
    return Markup(found)  # noqa: S704 - of the elements above only # nosec B704


def _to_the_web(_element: str, attribute: str, value: str) -> str | None:
    """Without a scheme a link would lead to another page of this site, in the name of who presses it."""
    scheme = value.partition(":")[0].lower()
    return value if attribute != "href" or scheme in SCHEMES else None


def plain(text: str) -> str:
    """The first words without the marks, on one line: more than a card or a list shows."""
    words: list[str] = []
    for token in _reader().parse(text[:FOR_A_CARD]):
        if token.type == "inline":
            words += _words(token.children or [])
        elif token.type == "fence":
            words.append(token.content)
        if token.type in BLOCKS:
            words.append(" ")
    return " ".join("".join(words).split())


def _words(tokens: list[Token]) -> list[str]:
    return [" " if one.type in ("softbreak", "hardbreak") else one.content for one in tokens]


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    reader.enable(["table", "strikethrough"]).disable(list(OFF))
    reader.core.ruler.push("headings_below", _headings_below)
    return reader


def _headings_below(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + FIRST_HEADING - 1, LAST_HEADING)}"
