"""Passkeys of accounts, and the challenges that they answer. Of a passkey only the public half is here."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

CHALLENGE_PURPOSES = ("sign_in", "second_step", "add", "single_sign_on")


class Passkey(Base):
    """A key pair in a phone, a computer or a security key. `user_handle` is random, and the same for all of an account."""

    __tablename__ = "passkeys"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    user_handle: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]
    last_used_at: Mapped[Moment | None]


class PasskeyChallenge(Base):
    """What a passkey has to sign, or single sign-on to come back with, once. The browser that asked holds a random text, this row its hash."""

    __tablename__ = "passkey_challenges"

    id: Mapped[Key]
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[str] = mapped_column(Text)
    # whose it is, where that is known; at a sign-in by passkey alone it is not
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]

    __table_args__ = (
        one_of("purpose", CHALLENGE_PURPOSES),
        Index("ix_passkey_challenges_address", "address", "created_at"),
        Index("ix_passkey_challenges_created_at", "created_at"),
    )
