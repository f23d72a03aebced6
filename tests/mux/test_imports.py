"""What `lessonadmin/mux` and the rest may know of each other: only the package knows the SDK, and it knows no web."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.cases import each_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lessonadmin" / "mux"
MODULES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {
    "lessonadmin",
    "lessonadmin.config",
    "lessonadmin.metrics",
    "lessonadmin.observability.logs",
    "lessonadmin.outbound",
    "lessonadmin.text.temporary_ids",
    "lessonadmin.text.texts",
    "lessonadmin.mux",
}
FORBIDDEN = {
    "flask",
    "sqlalchemy",
    "flask_sqlalchemy",
    "rq",
    "redis",
    "flask_admin",
    "wtforms",
    "muxsim",
    "devstack",
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            if node.module == "lessonadmin":
                yield from (f"lessonadmin.{one.name}" for one in node.names)


def test_no_other_package_knows_the_sdk() -> None:
    sources = [path for path in (ROOT / "lessonadmin").rglob("*.py") if PACKAGE not in path.parents]
    assert len(sources) > 100
    assert [
        path for path in sources if any(name.split(".")[0] == "mux_python" for name in imported(path))
    ] == []
    assert any("mux_python" in imported(path) for path in MODULES)


@each_of("path", MODULES)
def test_the_package_knows_no_web_no_database_and_no_domain(path: Path) -> None:
    names = set(imported(path))
    assert not {name.split(".")[0] for name in names} & FORBIDDEN
    own = {
        name for name in names if name.startswith("lessonadmin") and not name.startswith("lessonadmin.mux")
    }
    assert own <= ALLOWED


def test_no_module_of_the_package_is_too_big() -> None:
    sizes = {path.name: len(path.read_text().splitlines()) for path in MODULES}
    assert len(sizes) > 15
    assert {name: size for name, size in sizes.items() if size > 300} == {}
