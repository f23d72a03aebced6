"""What an account proves itself with beside its password, and sign-ins that wait for it. Secrets are hashes, or sealed where they have
to be read again; of a passkey only the public half is here."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, one_of

CHALLENGE_PURPOSES = ("sign_in", "second_step", "add", "single_sign_on")


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
