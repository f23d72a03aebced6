"""Column kinds that every table shares: keys, times from the database's clock, states as checked text.

Every default also stands in the database, so a row written by hand is as whole as one written by the product.
"""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from sqlalchemy import CheckConstraint, ColumnElement, DateTime, func, or_, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import new_id
from lessonadmin.text import temporary_ids

Key = Annotated[
    uuid.UUID, mapped_column(primary_key=True, default=new_id, server_default=text("gen_random_uuid()"))
]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
CreatedNow = Annotated[
    datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp(), nullable=False)
]


def one_of(column: str, values: tuple[str, ...], *, name: str | None = None) -> CheckConstraint:
    """The column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=name or f"{column}_known")


class Stamped:
    """Rows that are changed after they were made."""

    created_at: Mapped[CreatedNow]
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp(), onupdate=func.clock_timestamp()
    )


class WithMuxIds:
    """Rows that name an asset at Mux, and the id that it is played by."""

    if TYPE_CHECKING:
        mux_asset_id: Mapped[str | None]
        mux_playback_id: Mapped[str | None]

    @hybrid_property
    def has_temporary_asset(self) -> bool:
        """Its asset id means nothing to Mux."""
        return temporary_ids.is_temporary(self.mux_asset_id)

    @has_temporary_asset.inplace.expression
    @classmethod
    def _has_temporary_asset(cls) -> ColumnElement[bool]:
        return temporary_ids.temporary(cls.mux_asset_id)

    @hybrid_property
    def has_temporary_id(self) -> bool:
        """Its asset id or its playback id means nothing to Mux: it cannot be played."""
        return self.has_temporary_asset or temporary_ids.is_temporary(self.mux_playback_id)

    @has_temporary_id.inplace.expression
    @classmethod
    def _has_temporary_id(cls) -> ColumnElement[bool]:
        asset, playback = cls.mux_asset_id, cls.mux_playback_id
        return or_(temporary_ids.temporary(asset), temporary_ids.temporary(playback))
