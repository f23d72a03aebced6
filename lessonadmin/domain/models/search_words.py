"""The words that a search may mean: of titles, descriptions and instructors' names. Written by triggers alone."""

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lessonadmin.db import Base
from lessonadmin.domain.models.columns import Key


class SearchWord(Base):
    """A word as the full-text indexes have it; `folded` is without accents, `grams` its pieces of three letters."""

    __tablename__ = "search_words"

    id: Mapped[Key]
    word: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text))

    __table_args__ = (
        Index("ix_search_words_word", "word"),
        Index("ix_search_words_grams", "grams", postgresql_using="gin"),
    )
