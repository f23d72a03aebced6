"""Templates compile, name only what is there, and hold no inline script, style or handler."""

import re
from pathlib import Path

from flask import Flask
from jinja2 import nodes

from devstack.places import ROOT
from tests.cases import each_of

TEMPLATES = ROOT / "templates"
STATIC = ROOT / "lessonadmin" / "static"
FILES = sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html"))
FORBIDDEN = {
    "a handler": re.compile(r"""\son[a-z]+\s*=\s*["']""", re.IGNORECASE),
    "a style attribute": re.compile(r"""<[^>]*\sstyle\s*=\s*["']""", re.IGNORECASE),
    "a style element": re.compile(r"<style", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "a foreign address": re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
    "unescaped text": re.compile(r"\|\s*safe\b"),
}
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def text_of(name: str) -> str:
    return COMMENT.sub("", (TEMPLATES / name).read_text())


@each_of("name", FILES)
def test_a_template_compiles_and_finds_what_it_imports(app: Flask, name: str) -> None:
    tree = app.jinja_env.parse((TEMPLATES / name).read_text())
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        if isinstance(node.template, nodes.Const):
            app.jinja_env.get_template(node.template.value)
    app.jinja_env.get_template(name)


def test_every_page_of_the_panel_is_as_wide_as_the_others() -> None:
    """A page that sets a width of its own would jump beside a list."""
    panel = [name for name in FILES if name.startswith("admin/")]
    assert [name for name in panel if re.search(r"set width\b", text_of(name))] == ["admin/panel.html"]


def faults_in(text: str) -> list[str]:
    return [fault for fault, pattern in FORBIDDEN.items() if pattern.search(text)]


@each_of("name", FILES)
def test_a_template_holds_nothing_that_the_policy_refuses(name: str) -> None:
    assert faults_in(text_of(name)) == []


@each_of(
    "text",
    [
        '<a onclick="x()">',
        '<p style="color:red">',
        "<style>p{}</style>",
        "<script>x()</script>",
        '<script type="module" nonce="n">import "x"</script>',
        '<a href="javascript:x()">',
        '<link href="https://cdn.example/x.css">',
        '<img src="//cdn.example/x.png">',
        "{{ title|safe }}",
    ],
)
def test_of_the_test_each_fault_is_found(text: str) -> None:
    assert len(faults_in(text)) == 1
    assert faults_in('<script type="module" src="/x.js" nonce="n"></script><a data-on="x" href="/y">') == []


@each_of("name", FILES)
def test_every_named_file_icon_and_behaviour_is_there(name: str) -> None:
    text = text_of(name)
    for file in re.findall(r"asset\(['\"]([\w/.\-]+)['\"]\)", text):
        assert file.startswith("vendor/") or (STATIC / file).is_file(), file
    for behaviours in re.findall(r'data-js="([a-z\- ]+)"', text):
        for behaviour in behaviours.split():
            assert (STATIC / "js" / "behaviours" / f"{behaviour}.js").is_file(), behaviour
    icons = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
    for icon in re.findall(r"(?:\bicon|\bdraw)\(['\"]([\w-]+)['\"]", text) + re.findall(
        r"icon='([\w-]+)'", text
    ):
        assert icon in icons, icon


@each_of("name", FILES)
def test_every_form_that_posts_carries_the_token(name: str) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text_of(name), re.DOTALL | re.IGNORECASE):
        assert "csrf()" in form or "csrf_token" in form, form[:120]


def test_every_own_script_is_small_and_calls_no_other_server() -> None:
    for file in (STATIC / "js").rglob("*.js"):
        text = Path(file).read_text()
        assert text.count("\n") < 300, file.name
        assert not re.search(r"\beval\(|new Function|document\.write|insertAdjacentHTML", text), file.name
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), file.name
