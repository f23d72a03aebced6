"""What a member of staff keeps of the support panel for the next time."""

import uuid

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import CreatedNow, Key


class SavedFilter(Base):
    """A filter of one list, as that list's query string, under a name that its owner gave it."""

    __tablename__ = "saved_filters"

    id: Mapped[Key]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    list_slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedNow]

    __table_args__ = (UniqueConstraint("user_id", "list_slug", "name", name="uq_saved_filters_name"),)
