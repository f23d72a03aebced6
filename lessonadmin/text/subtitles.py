"""Files of captions that people write themselves: WebVTT or SubRip (.srt), read and checked, and written as WebVTT.

What is wrong is told with the number of its line, several faults at once. Cue settings, regions, styles and comments are left out: players place
captions themselves. Knows nothing of lessons or Mux.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

MAX_BYTES = 1_000_000
MAX_FAULTS = 10  # that are told at once
MAX_CUES = 20_000
# a byte-order mark says which one it is; without one the older encoding of Windows is the last guess
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
GUESSES = ("utf-8", "cp1252")
TIME = re.compile(r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]\d)(?:\.|,)(\d{3})", re.ASCII)
ARROW = re.compile(r"\s*(\S+)[ \t]*-->[ \t]*(\S+)(.*)")
LEFT_OUT = ("NOTE", "STYLE", "REGION")


class Faulty(Exception):
    """The file cannot be used; each fault is a sentence with its line."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Cue:
    """What is shown from one moment to another, in milliseconds."""

    start: int
    end: int
    text: str
    line: int


@dataclass(frozen=True)
class Subtitles:
    """The cues in their order, and what a person should look at."""

    cues: list[Cue]
    warnings: list[str] = field(default_factory=list)

    def as_webvtt(self) -> str:
        lines = ["WEBVTT", ""]
        for cue in self.cues:
            lines += [f"{_written(cue.start)} --> {_written(cue.end)}", cue.text, ""]
        return "\n".join(lines)


def read(data: bytes, *, most: int = MAX_BYTES) -> Subtitles:
    """The captions of a file of at most so many bytes; Faulty says why there are none."""
    if len(data) > most:
        raise Faulty([f"The file has {len(data) / 10**6:.1f} MB; captions may have {most / 10**6:.0f} MB."])
    warnings: list[str] = []
    text = _decoded(data, warnings)
    if not text.strip():
        raise Faulty(["The file is empty."])
    faults: list[str] = []
    cues = list(_cues(text, faults))
    if not cues and not faults:
        raise Faulty(
            ["The file has no captions. They look like “00:01.000 --> 00:04.000” with a text below."]
        )
    if len(cues) > MAX_CUES:
        raise Faulty([f"The file has more than {MAX_CUES:,} captions."])
    if faults:
        more = len(faults) - MAX_FAULTS
        raise Faulty(faults[:MAX_FAULTS] + ([f"There are {more} more faults."] if more > 0 else []))
    cues.sort(key=lambda cue: (cue.start, cue.end))
    overlapping = [later.line for cue, later in pairwise(cues) if later.start < cue.end]
    if overlapping:
        first = ", ".join(map(str, sorted(overlapping)[:5]))
        warnings.append(
            f"Captions are shown at the same time as the one before, at line {first}{' and others' if len(overlapping) > 5 else ''}."
        )
    return Subtitles(cues, warnings)


def _decoded(data: bytes, warnings: list[str]) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _storable(data[len(mark) :], encoding)
    for encoding in GUESSES:
        try:
            text = _storable(data, encoding)
        except Faulty:
            continue
        if encoding != "utf-8":
            warnings.append(
                "The file is not in UTF-8 and was read as Windows-1252. Look at its accents and quotes."
            )
        return text
    raise Faulty(["The file is no text in UTF-8, UTF-16 or Windows-1252."])


def _storable(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Faulty([f"The file says that it is {encoding.upper()}, and is not."]) from None
    if any(character < " " and character not in "\t\n\r\f" for character in text):
        raise Faulty(["The file has characters that no text has. Is it a film?"])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cues(text: str, faults: list[str]) -> Iterator[Cue]:
    """Block by block: blank lines part them in both formats."""
    for number, block in _blocks(text):
        lines = list(block)
        if number == 1 and lines[0].startswith("WEBVTT"):
            continue
        if lines[0].split(" ")[0].rstrip(":") in LEFT_OUT and "-->" not in lines[0]:
            continue
        at = next((index for index, line in enumerate(lines[:2]) if "-->" in line), None)
        if at is None:
            faults.append(f"Line {number}: there is no time here, such as “00:01.000 --> 00:04.000”.")
            continue
        yield from _cue(number + at, lines[at], lines[at + 1 :], faults)


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The number of the first line of each, from 1, with its lines."""
    block: list[str] = []
    begins = 1
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            if not block:
                begins = number
            block.append(line.rstrip())
        elif block:
            yield begins, block
            block = []


def _cue(number: int, times: str, lines: list[str], faults: list[str]) -> Iterator[Cue]:
    for offset, line in enumerate(lines, start=1):
        if "-->" in line:
            faults.append(f"Line {number + offset}: an empty line is missing before the time.")
            return
    found = ARROW.fullmatch(times)
    start, end = (_time(found[1]), _time(found[2])) if found else (None, None)
    if start is None or end is None:
        faults.append(f"Line {number}: “{times[:60]}” is no time, such as “00:01:02.500 --> 00:01:04.000”.")
    elif end <= start:
        faults.append(f"Line {number}: the caption ends before it begins.")
    elif not lines:
        faults.append(f"Line {number}: there is no text below the time.")
    else:
        yield Cue(start, end, "\n".join(lines), number)


def _time(text: str) -> int | None:
    found = TIME.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds, millis = (int(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis


def _written(millis: int) -> str:
    seconds, rest = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:03d}"
