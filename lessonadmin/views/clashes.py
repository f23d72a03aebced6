"""Two people, or two tabs, saved the same thing: what differs, and who was first. Nothing is overwritten unasked."""

from dataclasses import dataclass

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Owner, User


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field in which two people disagree: what is stored now, and what this person typed."""

    label: str
    stored: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Somebody else saved in between: who, and in which fields the two texts differ."""

    who: str
    differences: list[Difference]


def clash(user: User, owner: Owner, fields: dict[str, tuple[str, str]]) -> Clash:
    """`fields`: by their label, what is stored now and what this person typed."""
    different = [
        Difference(label=label, stored=stored, typed=typed)
        for label, (stored, typed) in fields.items()
        if stored.strip() != typed.strip()
    ]
    return Clash(who=_last_editor(user, owner), differences=different)


def _last_editor(user: User, owner: Owner) -> str:
    row = db.session.execute(
        select(User.id, User.name, User.email)
        .join(AuditLog, AuditLog.actor_id == User.id)
        .where(AuditLog.target_id == owner.id, AuditLog.action == f"{owner.kind}.updated")
        .order_by(AuditLog.at.desc(), AuditLog.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return "Somebody else"
    if row.id == user.id:
        return "You, in another tab or window,"
    return str(row.name or row.email) if user.is_staff or row.id == owner.owner_id else "Support"
