"""Which account a person of the provider of single sign-on has here."""

import uuid

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment


class ProviderIdentity(Base):
    """A person as the provider names them, for ever; their address there may change. One of a provider for an account."""

    __tablename__ = "provider_identities"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]
    last_used_at: Mapped[Moment | None]

    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="uq_provider_identities_subject"),
        UniqueConstraint("user_id", "issuer", name="uq_provider_identities_user"),
    )
