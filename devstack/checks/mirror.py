"""Each module of lessonadmin/ has its tests in the same place below tests/: `python -m devstack.checks.mirror`.

The tests of `lessonadmin/web/player.py` are `tests/web/test_player.py`. A module without one stands in `EXCEPTIONS` with
a reason; an exception that has tests, or whose module is gone, is a complaint too. The share of modules with tests never
falls below `MIN_SHARE`, however long that list grows. Says nothing about what the tests prove.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from devstack import places

PACKAGE = "lessonadmin"
TESTS = "tests"
MIN_SHARE = 0.95
TABLES = "only tables, which tests/database and tests/structure/test_upgrades.py compare with the migrations"
# Modules without tests of their own, as seen from lessonadmin/; a name that ends with / is a whole folder.
EXCEPTIONS = {
    "domain/models/": TABLES,
}


def modules(root: Path) -> list[str]:
    """The path of each module as seen from lessonadmin/."""
    package = root / PACKAGE
    return sorted(
        file.relative_to(package).as_posix() for file in package.rglob("*.py") if file.name != "__init__.py"
    )


def test_of(module: str) -> str:
    """Where the tests of a module lie, as seen from the root."""
    path = Path(TESTS, module)
    return path.with_name(f"test_{path.name}").as_posix()


def _has_tests(root: Path, module: str) -> bool:
    return (root / test_of(module)).is_file()


def _is_excepted(module: str, exceptions: Mapping[str, str]) -> bool:
    return any(module == one or (one.endswith("/") and module.startswith(one)) for one in exceptions)


def complaints(root: Path, exceptions: Mapping[str, str] = EXCEPTIONS) -> Iterator[str]:
    """One line a module without tests, an exception that is none any more, and the share if it is too low."""
    known = modules(root)
    tested = {module for module in known if _has_tests(root, module)}
    for module in known:
        if module not in tested and not _is_excepted(module, exceptions):
            yield f"{PACKAGE}/{module}: no {test_of(module)}"
    for one in sorted(exceptions):
        covered = [module for module in known if _is_excepted(module, {one: ""})]
        if not covered:
            yield f"{one}: an exception, but it is gone"
        yield from (f"{module}: an exception, but it has tests" for module in covered if module in tested)
    # Tables have nothing to call, so they do not count for the share.
    counted = [module for module in known if exceptions.get(f"{Path(module).parent.as_posix()}/") != TABLES]
    if sum(module in tested for module in counted) < MIN_SHARE * len(counted):
        yield f"less than {MIN_SHARE:.0%} of the modules have tests"


def main() -> int:
    """Print them; 1 if there are any."""
    found = list(complaints(places.ROOT))
    for line in found:
        print(line)
    print(f"{len(modules(places.ROOT))} modules, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
