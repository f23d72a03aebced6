"""Files of tests as pytest loads them, with their `assert` statements rewritten: each is made by one worker of a run.

pytest keeps a rewritten file beside its own compiled ones. Where there is none yet, as after a fresh checkout, every worker would
rewrite every file, at the same time as the others; that takes as long as everything else that collecting does. Here each
worker makes its share first, and then finds those of the others. It only fills that cache: without it, or where
Python is to write no bytecode, pytest rewrites for itself what it misses.
"""

import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

PATTERNS = ("test_*.py", "conftest.py")


def make_share(config: pytest.Config, folder: Path, number: int, workers: int) -> int:
    """Of the files below this folder every one that is this worker's, from its number on; how many were missing."""
    if sys.dont_write_bytecode:
        return 0
    files = sorted(file for pattern in PATTERNS for file in folder.rglob(pattern))
    return sum(_make(config, file) for file in files[number::workers])


def _make(config: pytest.Config, file: Path) -> bool:
    folder = rewrite.get_cache_dir(file)
    made = folder / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(file, made) is not None or not rewrite.try_makedirs(folder):
        return False
    source_hash, code = rewrite._rewrite_test(file, config)
    return rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source_hash, made)
