"""The secrets of this installation, which `hiding` takes out of every text that leaves: log lines, error reports, traces.

They are written nowhere in the first place. This is for the text of others in which one stands: an error of a library that quotes a
request, an answer of a server that repeats what it was sent. Reads the settings once, at the start; shows nothing.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from lessonadmin import config
from lessonadmin.security import hiding

# Shorter ones are words of other texts as well, and no secret of a real school is so short (`secret_strength`).
MIN_LENGTH = 6


def init_app() -> None:
    hiding.know(of(config.current()))


def of(settings: config.Settings) -> set[str]:
    """Every text that gives access, in each spelling in which it may be met."""
    found: set[str] = set()
    for name in config.FROM_FILES:
        value = getattr(settings, name)
        for text in (value,) if isinstance(value, str) else value or ():
            found.update(_password(text) if "://" in text else _lines(text))
    return {one for one in found if len(one) >= MIN_LENGTH}


def _password(url: str) -> Iterator[str]:
    """Of an address only the password: the rest of it helps an operator. One that is the user's name hides nothing."""
    parts = urlsplit(url)
    if parts.password and parts.password != parts.username:
        yield from (parts.password, unquote(parts.password))


def _lines(text: str) -> Iterator[str]:
    """A key of several lines is met line by line, and as one line with `\\n` in it."""
    yield text
    if "\n" in text:
        yield text.replace("\n", "\\n")
        yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))
