"""The check of mirrored tests finds a module without tests, and an exception that is none."""

from pathlib import Path

import pytest

from devstack.checks import mirror


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Twenty modules, each with its tests."""
    plant(tmp_path, "lessonadmin/__init__.py", "tests/domain/test_fewer.py")
    for number in range(19):
        plant(tmp_path, f"lessonadmin/web/part_{number}.py", f"tests/web/test_part_{number}.py")
    plant(tmp_path, "lessonadmin/config.py", "tests/test_config.py")
    return tmp_path


def plant(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_a_mirrored_tree_is_right(tree: Path) -> None:
    assert list(mirror.complaints(tree, {})) == []


def test_a_module_without_tests_is_found(tree: Path) -> None:
    plant(tree, "lessonadmin/domain/prices.py")
    assert list(mirror.complaints(tree, {})) == [
        "lessonadmin/domain/prices.py: no tests/domain/test_prices.py"
    ]


def test_tests_in_another_folder_do_not_count(tree: Path) -> None:
    plant(tree, "lessonadmin/domain/prices.py", "tests/web/test_prices.py")
    assert len(list(mirror.complaints(tree, {}))) == 1


@pytest.mark.parametrize("exception", ["domain/prices.py", "domain/"])
def test_an_exception_needs_no_tests(tree: Path, exception: str) -> None:
    plant(tree, "lessonadmin/domain/prices.py")
    assert list(mirror.complaints(tree, {exception: "a reason"})) == []


def test_an_exception_that_has_tests_is_found(tree: Path) -> None:
    assert list(mirror.complaints(tree, {"config.py": "a reason"})) == [
        "config.py: an exception, but it has tests"
    ]


@pytest.mark.parametrize("exception", ["gone.py", "gone/"])
def test_an_exception_that_is_gone_is_found(tree: Path, exception: str) -> None:
    assert list(mirror.complaints(tree, {exception: "a reason"})) == [
        f"{exception}: an exception, but it is gone"
    ]


def test_exceptions_do_not_lower_the_share_of_modules_with_tests(tree: Path) -> None:
    plant(tree, "lessonadmin/a.py", "lessonadmin/b.py")
    found = list(mirror.complaints(tree, {"a.py": "a reason", "b.py": "a reason"}))
    assert found == ["less than 95% of the modules have tests"]


def test_tables_do_not_count_for_the_share(tree: Path) -> None:
    plant(tree, "lessonadmin/domain/models/a.py", "lessonadmin/domain/models/b.py")
    assert list(mirror.complaints(tree, {"domain/models/": mirror.TABLES})) == []
