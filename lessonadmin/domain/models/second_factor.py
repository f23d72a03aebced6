"""What an account proves itself with after its password. Secrets are hashes, or sealed where they have to be read again."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment


class AuthenticatorApp(Base):
    """The app of an account that shows codes. Until it is confirmed by a code it is asked for nowhere."""

    __tablename__ = "authenticator_apps"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    created_at: Mapped[CreatedNow]
    confirmed_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]


class RecoveryCode(Base):
    """One of ten, for an account whose other factors are lost."""

    __tablename__ = "recovery_codes"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]
    used_at: Mapped[Moment | None]

    __table_args__ = (UniqueConstraint("user_id", "code_hash", name="uq_recovery_codes_code"),)


class PendingSignIn(Base):
    """A sign-in whose first step was right and whose second is awaited. The cookie holds a random text, this row its hash."""

    __tablename__ = "pending_sign_ins"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    # how the first step was made, and a digest of the account as it was then
    way: Mapped[str] = mapped_column(Text)
    account_state: Mapped[str] = mapped_column(Text)
    answers: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    created_at: Mapped[CreatedNow]

    __table_args__ = (Index("ix_pending_sign_ins_created_at", "created_at"),)
