"""What a file is, told without ffmpeg: enough to refuse what is plainly no video and to read an MP4's length.

Careful in doubt: bytes of an unknown format pass, because Mux accepts formats that are not known here.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from muxsim.store import Doc

NOT_VIDEO = "The file is not a video: no video or audio could be found in it."
EMPTY = "The input file is empty."
TRUNCATED = "The input file is truncated: its index (moov) is missing or incomplete."
FOREIGN = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x7fELF", b"MZ", b"\x1f\x8b", b"<!DOCTYPE", b"<html",
    b"7z\xbc\xaf", b"Rar!", b"\xd0\xcf\x11\xe0",
)  # fmt: skip
CONTAINERS = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}


@dataclass
class Findings:
    """What processing found out about a file."""

    error: str | None = None
    duration: float | None = None
    width: int | None = 1280
    height: int | None = 720
    fps: float = 30.0
    audio: bool = True
    channels: int = 2
    unusual: Doc = field(default_factory=dict)


def read_video(path: Path) -> Findings:
    size = path.stat().st_size if path.exists() else 0
    if size == 0:
        return Findings(error=EMPTY)
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(FOREIGN) or _is_text(head):
            return Findings(error=NOT_VIDEO)
        if head[4:8] in CONTAINERS:
            return _look_at_mp4(file, size)
    return Findings()


def _is_text(head: bytes) -> bool:
    printable = set(range(32, 127)) | {9, 10, 13}
    return all(byte in printable for byte in head)


def _look_at_mp4(file: BinaryIO, size: int) -> Findings:
    place, moov = 0, None
    while place + 8 <= size:
        file.seek(place)
        header = file.read(16)
        length, kind = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            length = struct.unpack(">Q", header[8:])[0]
        length = length or size - place
        if length < 8 or place + length > size:
            return Findings(error=TRUNCATED)
        if kind == b"moov":
            file.seek(place)
            moov = file.read(min(length, 4_000_000))
        place += length
    return Findings(error=TRUNCATED) if moov is None else Findings(duration=_duration(moov))


def _duration(moov: bytes) -> float | None:
    place = moov.find(b"mvhd")
    if place < 0 or place + 36 > len(moov):
        return None
    if moov[place + 4] == 1:
        scale, length = struct.unpack(">IQ", moov[place + 24 : place + 36])
    else:
        scale, length = struct.unpack(">II", moov[place + 16 : place + 24])
    return round(length / scale, 6) if scale and length else None
