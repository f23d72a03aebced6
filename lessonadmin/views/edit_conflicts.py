"""Two users, or two tabs, saved the same lesson or course: what differs, and who was first. Nothing is overwritten unasked."""

from collections.abc import Mapping
from dataclasses import dataclass

from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Owner, User


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


def conflict(user: User, owner: Owner, fields: Mapping[str, tuple[str | None, str | None]]) -> EditConflict:
    """`fields`: by their label, what is stored now and what this user typed."""
    texts = {label: (stored or "", typed or "") for label, (stored, typed) in fields.items()}
    different = [
        Difference(label=label, stored=stored, typed=typed)
        for label, (stored, typed) in texts.items()
        if stored.strip() != typed.strip()
    ]
    return EditConflict(who=_last_editor(user, owner), differences=different)


def _last_editor(user: User, owner: Owner) -> str:
    """An instructor is not told which of the staff it was."""
    editor = audit_log.last_editor(owner)
    if editor is None:
        return "Somebody else"
    if editor.id == user.id:
        return "You, in another tab or window,"
    return editor.name or editor.email if user.is_staff or editor.id == owner.owner_id else "Support"
