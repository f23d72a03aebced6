"""The check of folders finds a planted folder that is too full."""

from pathlib import Path

import pytest

from devstack.checks import folders


def plant(root: Path, folder: str, count: int) -> None:
    (root / folder).mkdir(parents=True)
    for number in range(count):
        (root / folder / f"module_{number}.py").touch()


def test_a_folder_at_the_limit_is_right(tmp_path: Path) -> None:
    plant(tmp_path, "lessonadmin/web", 15)
    (tmp_path / "lessonadmin/web/__init__.py").touch()
    (tmp_path / "lessonadmin/web/style.css").touch()
    plant(tmp_path, "lessonadmin/web/inner", 15)
    assert list(folders.complaints(tmp_path)) == []


@pytest.mark.parametrize("folder", ["lessonadmin", "lessonadmin/a/b", "muxsim/web", "devstack", "bench/c"])
def test_one_module_more_is_found(tmp_path: Path, folder: str) -> None:
    plant(tmp_path, folder, 16)
    assert list(folders.complaints(tmp_path)) == [f"{folder}: 16 modules, at most 15"]


def test_tests_may_have_more(tmp_path: Path) -> None:
    plant(tmp_path, "tests/web", 16)
    assert list(folders.complaints(tmp_path)) == []
