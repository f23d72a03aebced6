"""What a person sees while the stack runs: every line with the name of who said it, in colour on a terminal."""

import os
import sys

# readable on dark and on light, and none of them red, which is for what went wrong
COLOURS = (36, 32, 35, 34, 33, 96, 92)
BOLD, RED, PLAIN = "\033[1m", "\033[31m", "\033[0m"


class ReaderGone(Exception):
    """The output is read no more (the terminal or the pipe is closed)."""


class Output:
    """Lines on standard output."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._width = max(len(name) for name in names)
        self._colour = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        """One line of a program's."""
        prefix = f"{name:<{self._width}} |"
        if self._coloured:
            prefix = f"\033[{self._colour.get(name, 37)}m{prefix}{PLAIN}"
        self._write(f"{prefix} {text}\n")

    def say(self, text: str = "") -> None:
        """A line of the manager itself."""
        self._write(text + "\n")

    def title(self, text: str) -> None:
        """A line that is to be found again."""
        self._write(f"{BOLD}{text}{PLAIN}\n" if self._coloured else text + "\n")

    def warn(self, name: str, text: str) -> None:
        """A line about a program that does not do well."""
        self.line(name, f"{RED}{text}{PLAIN}" if self._coloured else text)

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (OSError, ValueError):
            # What is still in the buffer must not fail once more when Python ends.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
            raise ReaderGone from None
