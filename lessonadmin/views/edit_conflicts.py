"""Two users, or two tabs, saved the same lesson or course. What only one of them touched is merged; where both wrote something
different, it is shown what differs and who was first. Nothing is overwritten unasked.

A form carries a fingerprint of each field as it was stored when the page was made. A request without them, such as the panel's,
counts as having touched every field.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.lessons import edit_history
from lessonadmin.domain.models import Owner, User
from lessonadmin.web.forms import OwnerForm, Sent

WAS = "was_"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field in which the two differ: what is stored now, and what this user typed."""

    label: str
    stored: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class EditConflict:
    """Who saved in between, and in which fields the two texts differ."""

    who: str
    differences: list[Difference]


def fingerprints(stored: OwnerForm) -> dict[str, str]:
    """By the name of a hidden field, what a page is to carry."""
    return {WAS + name: _fingerprint(text) for name, text in stored.texts().items()}


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def merge(form: OwnerForm, stored: OwnerForm, sent: Sent) -> list[str]:
    """Take over what this user did not touch; the names of the fields that both changed to something different."""
    now, both = stored.texts(), []
    for name, typed in form.texts().items():
        was = sent.get(WAS + name)
        if was == _fingerprint(typed):
            form.take(name, stored)
        elif was != _fingerprint(now[name]) and typed != now[name]:
            both.append(name)
    return both


def conflict(user: User, owner: Owner, fields: Mapping[str, tuple[str, str]]) -> EditConflict:
    """`fields`: by their label, what is stored now and what this user typed."""
    different = [
        Difference(label=label, stored=stored, typed=typed) for label, (stored, typed) in fields.items()
    ]
    return EditConflict(who=_last_editor(user, owner), differences=different)


def _last_editor(user: User, owner: Owner) -> str:
    editor = audit_log.last_editor(owner)
    if editor is None:
        return "Another user"
    if editor.id == user.id:
        return "You, in another tab or window,"
    name = edit_history.editor_name(user, owner, editor)
    return name[:1].upper() + name[1:]
