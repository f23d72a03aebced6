"""Accounts, and how they prove who they are: sessions, bearer tokens, known browsers, links by mail, failed sign-ins.

Secrets are stored as hashes.
"""

import uuid
from datetime import UTC, datetime
from typing import Literal, cast

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key, Moment, Stamped, one_of

Role = Literal["student", "instructor", "support", "admin"]
ROLES: tuple[Role, ...] = ("student", "instructor", "support", "admin")
STAFF: tuple[Role, ...] = ("support", "admin")
TEACHING: tuple[Role, ...] = ("instructor", *STAFF)
TokenScope = Literal["read", "write"]
TOKEN_SCOPES: tuple[TokenScope, ...] = ("read", "write")
TOKEN_DAYS = 90
SignInWay = Literal["password", "passkey", "single_sign_on"]
SIGN_IN_WAYS: tuple[SignInWay, ...] = ("password", "passkey", "single_sign_on")
LinkKind = Literal["password_reset", "invitation", "new_address"]
LINK_KINDS: tuple[LinkKind, ...] = ("password_reset", "invitation", "new_address")


class User(Stamped, Base):
    __tablename__ = "users"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, server_default="")
    role: Mapped[str] = mapped_column(Text, server_default="student")
    active: Mapped[bool] = mapped_column(Boolean, server_default=true(), default=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    # set while the password is one that an admin made: it has to be changed, and opens nothing after this time
    password_temporary_until: Mapped[Moment | None]
    # set until an invitation is accepted: such an account opens nothing by any other way
    invited_at: Mapped[Moment | None]
    # set for good: nothing of the person is left in this row, and what must stay leads to it
    deleted_at: Mapped[Moment | None]
    mail_notices: Mapped[bool] = mapped_column(Boolean, server_default=true(), default=True)
    # kinds of notices that this person does not want; none but `notifications.MAY_BE_MUTED`
    muted_notices: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    search: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple', translate(email, '@.+-_', '     ') || ' ' || email || ' ' || name)",
            persisted=True,
        ),
        deferred=True,
    )

    sessions: Mapped[list["UserSession"]] = relationship(
        back_populates="user", passive_deletes=True, lazy="raise"
    )

    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint(
            "muted_notices <@ ARRAY['lesson_new_video', 'lesson_withdrawn', 'course_new_lesson']",
            name="muted_notices_known",
        ),
        Index("uq_users_email_lower", func.lower(text("email")), unique=True),
        Index("ix_users_role", "role", "id"),
        Index("ix_users_old_hash", "id", postgresql_where=text("password_hash LIKE 'scrypt:%'")),
        Index("ix_users_search", "search", postgresql_using="gin"),
        Index(
            "ix_users_instructor_name",
            func.to_tsvector(text("'simple'"), text("name")),
            postgresql_using="gin",
            postgresql_where=text("role <> 'student'"),
        ),
    )

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def teaches(self) -> bool:
        """May they have lessons and courses? Whose one is, is asked of `permissions`."""
        return self.role in TEACHING

    @property
    def is_invited(self) -> bool:
        """Was the invitation not accepted yet? Then nothing else opens the account."""
        return self.invited_at is not None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def state(self) -> str:
        """In a word, for people."""
        if self.is_deleted:
            return "deleted"
        if not self.active:
            return "disabled"
        return "invited" if self.is_invited else "active"

    @property
    def must_change_password(self) -> bool:
        return self.password_temporary_until is not None

    @property
    def temporary_password_ended(self) -> bool:
        """To be shown; whether it opens anything is asked of the database's clock."""
        until = self.password_temporary_until
        return until is not None and until <= datetime.now(UTC)

    @property
    def typed_role(self) -> Role:
        return cast(Role, self.role)

    def __str__(self) -> str:
        return self.name or self.email


class UserSession(Base):
    """A signed-in browser. The cookie holds a random text, this row its hash."""

    __tablename__ = "user_sessions"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    address: Mapped[str] = mapped_column(Text, server_default="")
    user_agent: Mapped[str] = mapped_column(Text, server_default="")
    way: Mapped[str] = mapped_column(Text, server_default="password")
    # was a second factor proved in it?
    second_factor: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    # when its user proved last that it is they: by signing in, or by the password once more
    proved_at: Mapped[Moment | None]
    created_at: Mapped[CreatedNow]
    last_seen_at: Mapped[CreatedNow]
    ended_at: Mapped[Moment | None]

    user: Mapped[User] = relationship(back_populates="sessions", lazy="raise")

    @property
    def typed_way(self) -> SignInWay:
        return cast(SignInWay, self.way)

    __table_args__ = (
        one_of("way", SIGN_IN_WAYS),
        Index("ix_user_sessions_open", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_user_sessions_last_seen_at", "last_seen_at"),
    )


class ApiToken(Base):
    """What a script proves itself with until its date. The script holds a random text, this row its hash."""

    __tablename__ = "api_tokens"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text, server_default="")
    scope: Mapped[str] = mapped_column(Text, server_default="write")
    secret_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[CreatedNow]
    expires_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text(f"(clock_timestamp() + '{TOKEN_DAYS} days'::interval)")
    )
    last_used_at: Mapped[Moment | None]
    last_used_address: Mapped[str] = mapped_column(Text, server_default="")
    revoked_at: Mapped[Moment | None]

    __table_args__ = (one_of("scope", TOKEN_SCOPES),)


class SignInFailure(Base):
    """Wrong tries, remembered here so that an emptied Redis forgets none of them.

    Of what was typed as an address only a keyed hash is kept: people type passwords there.
    """

    __tablename__ = "sign_in_failures"

    id: Mapped[Key]
    email_hash: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[CreatedNow]
    # the known browser that it came from, whose tries are limited apart from those of strangers
    browser_id: Mapped[uuid.UUID | None]

    __table_args__ = (
        Index("ix_sign_in_failures_email_hash", "email_hash", "at"),
        Index(
            "ix_sign_in_failures_browser_id",
            "browser_id",
            "at",
            postgresql_where=text("browser_id IS NOT NULL"),
        ),
        Index("ix_sign_in_failures_address", "address", "at"),
        Index("ix_sign_in_failures_at", "at"),
    )


class KnownBrowser(Base):
    """A browser in which this account signed in. Its cookie holds a random text, this row the hash."""

    __tablename__ = "known_browsers"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text, server_default="")
    network: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[CreatedNow]
    last_used_at: Mapped[CreatedNow]

    __table_args__ = (
        Index("uq_known_browsers_user_id", "user_id", "secret_hash", unique=True),
        Index("ix_known_browsers_last_used_at", "last_used_at"),
    )


class AccountLink(Base):
    """A link that proves who opens it, by mail or handed over: for a new password, an invitation or a new address.

    The secret is made when the mail leaves, so that only its hash is ever stored; `expires_at` counts from then.
    """

    __tablename__ = "account_links"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str | None] = mapped_column(Text, unique=True)
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    address: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[CreatedNow]
    expires_at: Mapped[Moment | None]
    used_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
    mail_wanted: Mapped[bool] = mapped_column(Boolean, server_default=false(), default=False)
    mailed_at: Mapped[Moment | None]
    mail_attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    mail_due_at: Mapped[CreatedNow]
    mail_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("kind", LINK_KINDS),
        Index("ix_account_links_user_id", "user_id", "kind", "id"),
        Index("ix_account_links_made_by", "made_by"),
        Index("ix_account_links_created_at", "created_at"),
        Index(
            "ix_account_links_mail_due",
            "mail_due_at",
            postgresql_where=text("mail_wanted AND mailed_at IS NULL"),
        ),
    )
