"""Markdown of instructors: what it becomes, and that nothing else comes of it."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.text import markdown
from tests.cases import each_of


@each_of(
    ("typed", "shown"),
    [
        ("Bread", "<p>Bread</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("**bold** and *slanted*", "<p><strong>bold</strong> and <em>slanted</em></p>\n"),
        ("~~old~~", "<p><s>old</s></p>\n"),
        ("- flour\n- water", "<ul>\n<li>flour</li>\n<li>water</li>\n</ul>\n"),
        ("3. knead\n4. bake", '<ol start="3">\n<li>knead</li>\n<li>bake</li>\n</ol>\n'),
        ("# You need", "<h3>You need</h3>\n"),
        ("##### small", "<h6>small</h6>\n"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>\n"),
        ("`yeast`", "<p><code>yeast</code></p>\n"),
        ("---", "<hr>\n"),
        (
            "[shop](https://mill.example/a?b=1&c=2)",
            '<p><a href="https://mill.example/a?b=1&amp;c=2" rel="nofollow noopener noreferrer">shop</a></p>\n',
        ),
        (
            "<https://mill.example>",
            '<p><a href="https://mill.example" rel="nofollow noopener noreferrer">https://mill.example</a></p>\n',
        ),
        # what older descriptions hold without meaning anything by it
        ("    four spaces", "<p>four spaces</p>\n"),
        ("Title\n===", "<p>Title<br>\n===</p>\n"),
        ("5 < 6 & 7 > 2", "<p>5 &lt; 6 &amp; 7 &gt; 2</p>\n"),
        ("", ""),
    ],
)
def test_what_it_becomes(typed: str, shown: str) -> None:
    assert markdown.rendered(typed) == shown


def test_a_table() -> None:
    shown = markdown.rendered("| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<td>2</td>" in shown
    assert "style" not in shown


class Elements(HTMLParser):
    """Every element and attribute of a piece of HTML, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def harmless(html: str) -> bool:
    return all(
        tag in markdown.ELEMENTS
        and set(attributes) <= {"href", "rel", "start"}
        and (attributes.get("href") or "https:").startswith(("http:", "https:", "mailto:"))
        for tag, attributes in Elements(html).found
    )


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<p onclick=alert(1)>x</p>",
    "![x](https://elsewhere.example/pixel.gif)",
    "![x](javascript:alert(1))",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](//elsewhere.example)",
    "[x](/admin/user/)",
    "<javascript:alert(1)>",
    '[x](https://a.example "\\" onmouseover=alert(1) \\"")',
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\nx\n```',
    "<style>*{display:none}</style>",
    "<iframe src=https://elsewhere.example></iframe>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<svg><script>alert(1)</script></svg>",
    "`<script>alert(1)</script>`",
]


@each_of("typed", HOSTILE)
def test_nothing_but_text_and_links_to_the_web_comes_of_it(typed: str) -> None:
    shown = markdown.rendered(f"before\n\n{typed}\n\nafter")
    assert harmless(shown)
    assert "after" in shown


@given(st.text(st.sampled_from("<>[]()!*_`#~|:/\\\"'&;\n -javscripthef=x0"), max_size=60))
def test_whatever_is_typed(typed: str) -> None:
    assert harmless(markdown.rendered(typed))
    markdown.plain(typed)


@pytest.mark.parametrize("html", ['<p onclick="x">', "<script>", '<a href="javascript:x">x</a>', "<img>"])
def test_of_the_test_what_is_hostile_is_found(html: str) -> None:
    assert not harmless(html)


def test_behind_the_reader_the_list_of_elements_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the reader let HTML through."""

    class Careless:
        def render(self, text: str) -> str:
            return text

    monkeypatch.setattr(markdown, "_reader", Careless)
    for typed in HOSTILE:
        assert harmless(markdown.rendered(typed))


@each_of(
    "typed",
    ["*" * 20_000, "[" * 20_000, "> " * 10_000, "`" * 20_000, "- " * 10_000, "[a](" * 5_000, "![" * 10_000, "**a " * 5_000, "<" * 20_000,
     "|a" * 10_000 + "\n" + "|-" * 10_000, "~~a" * 6_000, "&" * 20_000, "_a_" * 6_000, "\\" * 20_000, "1. " * 6_000],
)  # fmt: skip
def test_a_description_of_full_length_takes_no_time(typed: str) -> None:
    began = time.process_time()
    markdown.rendered.__wrapped__(typed)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("# Bread\n\nWith **rye** and [water](https://w.example).", "Bread With rye and water."),
        ("- flour\n- water", "flour water"),
        ("one\ntwo", "one two"),
        ("`salt`", "salt"),
        ("```\n2 g\n```", "2 g"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
        ("<b>5 < 6</b>", "<b>5 < 6</b>"),
    ],
)
def test_the_words_alone(typed: str, words: str) -> None:
    assert markdown.plain(typed) == words
