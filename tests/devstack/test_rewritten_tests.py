"""Each worker rewrites its share of the files of tests, and pytest takes what it finds."""

from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from devstack import rewritten_tests

WORKERS = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text(f"def test() -> None:\n    assert {number} < 9\n")
    (tmp_path / "support.py").write_text("assert True\n")
    (tmp_path / "conftest.py").touch()
    return tmp_path


def test_all_workers_together_make_every_file_of_tests_once(
    folder: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    made = [rewritten_tests.make_share(pytestconfig, folder, number, WORKERS) for number in range(WORKERS)]
    assert made == [2, 2, 1]
    for file in (*folder.glob("test_*.py"), folder / "conftest.py"):
        found = rewrite._read_pyc(file, rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}")
        assert found is not None, "where pytest looks for it"
        if file.name != "conftest.py":
            asserts = {name for one in found.co_consts if hasattr(one, "co_names") for name in one.co_names}
            assert "@pytest_ar" in asserts, "and with its asserts rewritten"
    assert rewritten_tests.make_share(pytestconfig, folder, 0, 1) == 0, "there is nothing left to do"
    (folder / "test_0.py").write_text("assert 1\n")
    assert rewritten_tests.make_share(pytestconfig, folder, 0, 1) == 1, "but for a file that has changed"


def test_where_no_bytecode_is_wanted_none_is_written(
    folder: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert rewritten_tests.make_share(pytestconfig, folder, 0, 1) == 0
    assert [file for file in folder.rglob("*.pyc") if "pytest" in file.name] == []
