"""Fields of a form as a browser sends them, for every form that edits a row."""

import re
from collections.abc import Mapping

VERSION = re.compile(r"\d{1,9}")


def version(form: Mapping[str, str]) -> int | None:
    """The version of the row that the form was made from; None if it names none, and nothing is then compared."""
    text = form.get("version", "")
    return int(text) if VERSION.fullmatch(text) else None


def long_text(form: Mapping[str, str], name: str, before: str) -> str:
    """Text of several lines. Browsers send line ends as CR LF; they are stored as they were typed."""
    return form.get(name, before).replace("\r\n", "\n")
