"""Column kinds that every table shares: keys, times from the database's clock, states as checked text.

Every default also stands in the database, so a row written by hand is as whole as one written by the product.
"""

import uuid
from datetime import datetime
from typing import Annotated

from sqlalchemy import CheckConstraint, DateTime, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import new_id

Key = Annotated[
    uuid.UUID, mapped_column(primary_key=True, default=new_id, server_default=text("gen_random_uuid()"))
]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Born = Annotated[
    datetime, mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp(), nullable=False)
]
LongText = Annotated[str, mapped_column(Text)]


def one_of(column: str, values: tuple[str, ...], *, name: str | None = None) -> CheckConstraint:
    """The column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=name or f"{column}_known")


class Stamped:
    """Rows that are changed after they were made."""

    created_at: Mapped[Born]
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp(), onupdate=func.clock_timestamp()
    )
