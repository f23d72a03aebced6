"""Messages for the next page that carry a button; plain ones are flashed as they are."""

from collections.abc import Mapping

from flask import flash


def flash_with_button(
    words: str, tone: str, *, label: str, icon: str, url: str, fields: Mapping[str, str]
) -> None:
    """`macros/toast.html` draws it. Such a message stays until it is dismissed."""
    message = {"words": words, "label": label, "icon": icon, "url": url, "fields": dict(fields)}
    flash(message, tone)  # type: ignore[arg-type]  # Flask keeps whatever its session can hold
