"""What a person sees while the stack runs: warnings and errors with the name of who said them, in colour on a terminal,
and the box that says where the product is and how one gets in. Every line is kept in a file.

The box stays in sight: what goes well, such as each request, is shown only to who asks for everything.
"""

import logging
import os
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

# readable on dark and on light, and none of them red, which is for what went wrong
COLOURS = (36, 32, 35, 34, 33, 96, 92)
BOLD, RED, PLAIN = "\033[1m", "\033[31m", "\033[0m"
# how the product's own readable log begins when all is well
ALL_WELL = re.compile(r"^\d\d:\d\d:\d\d (INFO|DEBUG) ")
KEPT_BYTES = 20 << 20


class ReaderGone(Exception):
    """The output is read no more (the terminal or the pipe is closed)."""


class Output:
    """Lines on standard output, and all of them in a file."""

    def __init__(self, names: tuple[str, ...], *, file: Path, everything: bool = False) -> None:
        self.file = file
        self._everything = everything
        self._kept = _Kept(file)
        self._box: list[str] = []
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._width = max(len(name) for name in names)
        self._colour = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}

    def line(self, name: str, text: str, *, routine: bool = False) -> None:
        """One line of a program's; what is routine, or says itself that all is well, goes into the file only."""
        self._kept.add(f"{name:<{self._width}} | {text}")
        if self._everything or not (routine or ALL_WELL.match(text)):
            self._show(name, text)

    def _show(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if self._coloured:
            prefix = f"\033[{self._colour.get(name, 37)}m{prefix}{PLAIN}"
        self._write(f"{prefix} {text}\n")

    def say(self, text: str = "") -> None:
        """A line of the manager itself."""
        self._write(text + "\n")

    def box(self, title: str, *lines: str) -> None:
        """What is to be found again: shown now, and each time it is asked for."""
        rule = "-" * max(map(len, (title, *lines)))
        if self._coloured:
            title = f"{BOLD}{title}{PLAIN}"
        self._box = ["", rule, title, *lines, rule, ""]
        self.repeat_box()

    def repeat_box(self) -> None:
        for line in self._box:
            self.say(line)

    def warn(self, name: str, text: str) -> None:
        """A line about a program that does not do well."""
        self._kept.add(f"{name:<{self._width}} | {text}")
        self._show(name, f"{RED}{text}{PLAIN}" if self._coloured else text)

    def close(self) -> None:
        self._kept.close()

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            # What is still in the buffer must not fail once more when Python ends.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
            raise ReaderGone from None


class _Kept(RotatingFileHandler):
    """The file of all lines, of this start and those before; never larger than twice its bound."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(file, maxBytes=KEPT_BYTES, backupCount=1, encoding="utf-8", errors="replace")

    def add(self, line: str) -> None:
        self.emit(logging.makeLogRecord({"msg": line}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that the overridden method has
        """A disk that is full is told by the programs, in their words, and on the screen."""
