"""The walls of the Mux room: who may know the SDK, and what the room may not know."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "lessonadmin" / "mux"
ALLOWED = {
    "lessonadmin",
    "lessonadmin.config",
    "lessonadmin.metrics",
    "lessonadmin.observability.logs",
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


def test_nobody_else_knows_the_sdk() -> None:
    sources = [path for path in (ROOT / "lessonadmin").rglob("*.py") if ROOM not in path.parents]
    assert sources
    assert [
        path for path in sources if any(name.split(".")[0] == "mux_python" for name in imported(path))
    ] == []
    assert any("mux_python" in imported(path) for path in ROOM.glob("*.py"))


def test_the_room_knows_no_web_no_database_and_no_domain() -> None:
    for path in ROOM.glob("*.py"):
        names = set(imported(path))
        assert not {name.split(".")[0] for name in names} & FORBIDDEN, path
        own = {
            name
            for name in names
            if name.startswith("lessonadmin") and not name.startswith("lessonadmin.mux")
        }
        assert own <= ALLOWED, path


def test_nothing_of_the_room_is_too_big() -> None:
    sizes = {path.name: len(path.read_text().splitlines()) for path in ROOM.glob("*.py")}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
