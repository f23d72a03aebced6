"""ffmpeg's part: probing a file and packaging it."""

from collections.abc import Callable
from pathlib import Path

from muxsim.sniff import Findings


class Packager:
    def __init__(self, binary: str) -> None:
        self.binary = binary

    def package(self, media: Path, *, limit: float | None, on_progress: Callable[[float], None]) -> Findings:
        raise NotImplementedError

    def stop(self) -> None:
        pass


def find_ffmpeg() -> str | None:
    return None
