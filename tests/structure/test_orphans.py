"""The check that finds orphans finds every kind of them, and calls nothing an orphan that is used."""

from pathlib import Path

import pytest

from devstack.orphans import __main__ as tool
from devstack.orphans.exceptions import Exemption, judge, read

TREE = {
    "app.py": "from lessonadmin import create_app\n\napp = create_app()\n",
    "Procfile": "web: gunicorn app:app\n",
    "README.md": "| setting | default | meaning |\n|---|---|---|\n| `PUBLIC_URL` | required | our origin |\n",
    "lessonadmin/__init__.py": """
        from lessonadmin import cli, config, views

        def create_app():
            config.current()
            views.init_app()
            for room in (cli,):
                room.init_app()
    """,
    "lessonadmin/config.py": """
        from pydantic_settings import BaseSettings

        class Settings(BaseSettings):
            model_config = {"frozen": True}
            public_url: str

        def current() -> Settings:
            return Settings("x")
    """,
    "lessonadmin/redis_queue/job_list.py": 'JOBS = {"lessonadmin.jobs.nudge": "urgent"}\n',
    "lessonadmin/queue.py": """
        from lessonadmin.redis_queue.job_list import JOBS

        def enqueue(name: str) -> None:
            print(JOBS[name])
    """,
    "lessonadmin/jobs.py": "def nudge() -> None:\n    print()\n",
    "lessonadmin/cli.py": "def init_app() -> None:\n    print()\n",
    "lessonadmin/shelf.py": """
        from lessonadmin.books import count, Book
        __all__ = ["Book", "count"]
    """,
    "lessonadmin/books.py": """
        from json import JSONEncoder

        PAGES = 3

        class Book(JSONEncoder):
            title = "t"

            def default(self, o):
                return o

            def read(self) -> int:
                return PAGES

        def count(kind: "Kind") -> int:
            return 1

        class Kind:
            pass
    """,
    "lessonadmin/views.py": """
        from flask import Blueprint, render_template
        from lessonadmin import config, queue, shelf

        ICONS = "icons.svg"
        bp = Blueprint("pages", __name__)

        @bp.get("/")
        def home() -> str:
            queue.enqueue("lessonadmin.jobs.nudge")
            book = shelf.Book()
            return render_template("home.html", book=book, pages=book.read(), url=config.current().public_url)

        def init_app() -> None:
            print(bp, ICONS, shelf.count(None))
    """,
    "templates/home.html": """
        {% from "macros.html" import button %}
        <link href="{{ asset('css/base.css') }}"><script src="{{ asset('js/app.js') }}"></script>
        {{ button('danger') }} {{ book.title }} <p class="note" data-js="copy" data-copy="x" data-testid="note">don't</p>
    """,
    "templates/macros.html": """
        {% macro button(kind) %}{{ picture('bell') }}<b class="button button--{{ kind }}"></b>{% endmacro %}
        {% macro picture(name) %}<svg>{{ name }}</svg>{% endmacro %}
    """,
    "lessonadmin/static/css/base.css": ".note { color: var(--ink); } .button, .button--danger { --ink: red; }",
    "lessonadmin/static/js/app.js": 'import { load } from "./load.js";\n\nload(document);\n',
    "lessonadmin/static/js/load.js": "export function load(root) { root.dataset.js.split(); }\n",
    "lessonadmin/static/js/behaviours/copy.js": "export default function copy(one) { one.dataset.copy; }\n",
    "lessonadmin/static/icons.svg": '<svg><symbol id="bell"></symbol></svg>',
    "muxsim/templates/sim.html": "",
    "muxsim/static/x.css": "",
    "muxsim/web.py": 'PAGES = ("sim.html", "x.css")\nprint(PAGES)\n',
    "bin/sim": "python -m muxsim.web\n",
}  # fmt: skip


def text_of(lines: str) -> str:
    """A file of the tree: written here with the indentation of this one."""
    rows = lines.splitlines()
    return "\n".join(row.removeprefix("        ") for row in rows) + "\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, lines in TREE.items():
        write(tmp_path, name, lines)
    return tmp_path


def write(root: Path, name: str, lines: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text_of(lines))


def found(root: Path, *allowed: Exemption) -> list[tuple[str, str]]:
    return list(tool.orphans(root, allowed))


def test_a_tree_in_which_everything_is_used_has_no_orphan(tree: Path) -> None:
    assert found(tree) == []


PLANTED = {
    "a function that only a test calls": (
        "lessonadmin/books.py", "def wake() -> None:\n    print()\n", ("function", "lessonadmin.books.wake"),
    ),
    "a function that calls itself": (
        "lessonadmin/books.py", "def wake() -> None:\n    wake()\n", ("function", "lessonadmin.books.wake"),
    ),
    "a function whose name is that of a local variable elsewhere": (
        "lessonadmin/books.py", "def book() -> None:\n    print()\n", ("function", "lessonadmin.books.book"),
    ),
    "a class": ("lessonadmin/books.py", "class Wake:\n    pass\n", ("class", "lessonadmin.books.Wake")),
    "a method": ("lessonadmin/books.py", "    def wake(self): ...\n", ("method", "lessonadmin.books.Kind.wake")),
    "a field": ("lessonadmin/books.py", "    wake: int = 1\n", ("field", "lessonadmin.books.Kind.wake")),
    "a constant": ("lessonadmin/books.py", "WAKE = 1\n", ("constant", "lessonadmin.books.WAKE")),
    "a module": ("lessonadmin/asleep.py", "", ("module", "lessonadmin.asleep")),
    "a command that no group takes in": (
        "lessonadmin/cli.py", "import click\n\n@click.command()\ndef wake() -> None:\n    print()\n",
        ("function", "lessonadmin.cli.wake"),
    ),
    "a template": ("templates/asleep.html", "", ("template", "asleep.html")),
    "a macro": ("templates/macros.html", "{% macro wake() %}{% endmacro %}", ("macro", "macros.html:wake")),
    "a macro that is only named in a comment": (
        "templates/macros.html", "{# wake() #}{% macro wake() %}{% endmacro %}", ("macro", "macros.html:wake"),
    ),
    "a CSS class": ("lessonadmin/static/css/base.css", ".wake { top: 0; }", ("CSS class", "css/base.css:wake")),
    "a CSS class that is only a word of the text": (
        "lessonadmin/static/css/base.css", ".don { top: 0; }", ("CSS class", "css/base.css:don"),
    ),
    "the half of a composed CSS class": (
        "lessonadmin/static/css/base.css", ".button--asleep { top: 0; }", ("CSS class", "css/base.css:button--asleep"),
    ),
    "a CSS property": (
        "lessonadmin/static/css/base.css", ".note { --wake: 0; }", ("CSS property", "css/base.css:--wake"),
    ),
    "a behaviour": (
        "lessonadmin/static/js/behaviours/wake.js", "export default function wake() {}",
        ("behaviour", "js/behaviours/wake.js"),
    ),
    "an exported function": (
        "lessonadmin/static/js/load.js", "export function wake() {}", ("export", "js/load.js:wake"),
    ),
    "a script": ("lessonadmin/static/js/asleep.js", "", ("static file", "js/asleep.js")),
    "a data attribute": ("templates/home.html", '<p data-wake="1"></p>', ("data attribute", "data-wake")),
    "an icon": ("lessonadmin/static/icons.svg", '<symbol id="wake"></symbol>', ("icon", "icons.svg:wake")),
    "a row of the README without a setting": (
        "README.md", "| `WAKE` | none | |", ("row of the README without a setting", "WAKE"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_of_the_check_a_planted_orphan_is_found(tree: Path, name: str) -> None:
    file, lines, orphan = PLANTED[name]
    place = tree / file
    place.write_text((place.read_text().rstrip() if place.exists() else "") + "\n" + lines + "\n")
    (tree / "tests").mkdir()
    (tree / "tests" / "test_books.py").write_text("from lessonadmin.books import wake\n\nwake()\n")
    assert found(tree) == [orphan]


def test_of_the_check_a_job_that_is_never_enqueued_is_found(tree: Path) -> None:
    jobs = 'JOBS = {"lessonadmin.jobs.nudge": "a", "lessonadmin.jobs.wake": "a"}\n'
    write(tree, "lessonadmin/redis_queue/job_list.py", jobs)
    write(
        tree, "lessonadmin/jobs.py", "def nudge() -> None:\n    print()\n\ndef wake() -> None:\n    print()\n"
    )
    assert found(tree) == [("job", "lessonadmin.jobs.wake")]


def test_of_the_check_a_setting_that_is_never_read_or_explained_is_found(tree: Path) -> None:
    settings = TREE["lessonadmin/config.py"].replace(
        "public_url: str", "public_url: str\n            wake: int = 1"
    )
    write(tree, "lessonadmin/config.py", settings)
    assert found(tree) == [
        ("setting", "lessonadmin.config.Settings.wake"),
        ("setting without a row in the README", "WAKE"),
    ]


def test_what_is_delivered_is_not_used_by_a_benchmark(tree: Path) -> None:
    write(
        tree,
        "lessonadmin/books.py",
        TREE["lessonadmin/books.py"] + "\n        def wake():\n            return 1\n",
    )
    write(tree, "bench/speed.py", "from lessonadmin.books import wake\n\ndef main():\n    return wake()\n")
    assert found(tree) == [("function", "lessonadmin.books.wake")]


def test_a_call_by_an_orphan_is_no_use(tree: Path) -> None:
    pair = "def wake():\n    return rise()\n\n\ndef rise():\n    return 1\n"
    (tree / "lessonadmin/books.py").write_text((tree / "lessonadmin/books.py").read_text() + pair)
    both = [("function", "lessonadmin.books.rise"), ("function", "lessonadmin.books.wake")]
    assert found(tree) == both
    wanted = Exemption("function", "lessonadmin.books.wake", "a library calls it")
    assert found(tree, wanted) == both[1:], "what a wanted one calls is used"


def test_an_exception_is_needed_and_has_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.txt"
    file.write_text("# kinds\n\nmacro | a.html:* | called by name\nfunction | x.y | for later\n")
    allowed = read(file)
    assert judge([("macro", "a.html:b"), ("macro", "a.html:c"), ("icon", "z")], allowed) == [
        "icon z is used by nothing but tests, or by nothing at all",
        "exceptions: function x.y is needed no more",
    ]
    file.write_text("macro | a.html:* |\n")
    with pytest.raises(ValueError, match="write `kind"):
        read(file)
