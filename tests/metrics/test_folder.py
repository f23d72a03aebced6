"""The folder of the counters' files is this user's own, and closed to others."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lessonadmin.metrics.folder import UntrustedFolder, make_private


def linked(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (linked, "is no folder of its own"),
        (open_to_all, "can be written to by others"),
        (Path.touch, "cannot be used"),
    ],
)
def test_a_folder_that_another_user_may_have_filled_is_refused(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    make(tmp_path / "metrics")
    with pytest.raises(UntrustedFolder, match=why):
        make_private(tmp_path / "metrics")


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UntrustedFolder, match="belongs to another user"):
        make_private(tmp_path / "metrics")


def test_a_folder_of_this_user_is_made_or_made_private(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    for name in ("old", "new"):
        make_private(tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
