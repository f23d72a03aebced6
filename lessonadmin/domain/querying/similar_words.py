"""What was typed, as the words that the texts have: without accents, as a part of a word, or with a wrong letter.

The words of all texts are in `search_words`. The few that fit what was typed are looked up there, and then asked of the
full-text index of a table, so no table needs an index of its own for this. Like `full_text`, it takes whatever is typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, cast, text
from sqlalchemy.dialects.postgresql import TSQUERY

from lessonadmin.db import db
from lessonadmin.domain.models import SearchWord
from lessonadmin.domain.querying.full_text import MAX_LENGTH, MAX_WORDS, SEPARATORS, is_short, quoted
from lessonadmin.text.texts import one_line

WORDS = SearchWord.__tablename__
MAX_PARTS, MAX_ACCENTED, MAX_SIMILAR, MAX_COMPARED = 50, 30, 20, 100
MIN_PART = 4  # letters: "art" is in too many words
MIN_SIMILAR, MIN_TWO_ERRORS = 4, 8
# Each word that was typed, with the words of the texts that begin like it but for accents, and those that it is a part of.
CONTAINING = text(f"""
WITH asked AS MATERIALIZED (
  SELECT place, folded, search_grams(folded) AS inside, search_grams(' ' || folded) AS from_start
    FROM unnest(CAST(:typed AS text[])) WITH ORDINALITY AS one (typed, place), search_folded(typed) AS folded)
SELECT asked.place, asked.folded, known.word
  FROM asked LEFT JOIN LATERAL (
    (SELECT word FROM {WORDS} WHERE length(asked.folded) > 1 AND grams @> asked.from_start
        AND word <> folded AND starts_with(folded, asked.folded) ORDER BY length(folded), word LIMIT {MAX_ACCENTED})
    UNION ALL
    (SELECT word FROM {WORDS} WHERE length(asked.folded) >= {MIN_PART} AND grams @> asked.inside
        AND strpos(folded, asked.folded) > 1 ORDER BY length(folded), word LIMIT {MAX_PARTS})) known ON true
 ORDER BY asked.place""")  # noqa: S608 - a table and numbers of this module # nosec B608
# Words of about the length that share a piece with it; those that share most first. A wrong letter touches three neighbours.
# What was asked is materialized: its pieces would else be made anew for each piece of each word.
COMPARED = text(f"""
WITH asked AS MATERIALIZED (
  SELECT place, folded, search_grams(' ' || folded || ' ') AS grams, length(folded) AS letters,
      CASE WHEN length(folded) < {MIN_TWO_ERRORS} THEN 1 ELSE 2 END AS errors
    FROM unnest(CAST(:typed AS text[])) WITH ORDINALITY AS one (typed, place), search_folded(typed) AS folded)
SELECT asked.place, asked.folded, known.word, known.folded
  FROM asked CROSS JOIN LATERAL (
    SELECT word, folded FROM {WORDS}
     WHERE asked.letters >= {MIN_SIMILAR} AND grams && asked.grams
       AND length(folded) BETWEEN asked.letters - asked.errors AND asked.letters + asked.errors
     ORDER BY (SELECT count(*) FROM unnest(grams) AS gram WHERE gram = ANY(asked.grams)) DESC, word
     LIMIT {MAX_COMPARED}) known""")  # noqa: S608 - a table and numbers of this module # nosec B608


@dataclass(frozen=True)
class Word:
    """A word that was typed, and the words of the texts that it may stand for."""

    typed: str
    begins: tuple[str, ...]
    whole: tuple[str, ...] = ()

    @property
    def query(self) -> ColumnElement[object]:
        """Any of them."""
        beginnings = [quoted(one) + ("" if is_short(one) else ":*") for one in self.begins]
        return cast(" | ".join(beginnings + [quoted(one) for one in self.whole]), TSQUERY)


def typed_words(typed: str) -> list[str]:
    """The words of a search box, each once."""
    parts = SEPARATORS.split(one_line(typed[:MAX_LENGTH]).lower())
    return list(dict.fromkeys(part for part in parts if part))[:MAX_WORDS]


def containing(typed: str) -> list[Word]:
    """What was typed as it is: as the beginning of a word, or as a part of one, whatever the accents are."""
    words = typed_words(typed)
    rows = db.session.execute(CONTAINING, {"typed": words}).all() if words else []
    return [
        Word(
            word,
            tuple(dict.fromkeys((word, *(row.folded for row in rows if row.place == place and row.folded)))),
            tuple(dict.fromkeys(row.word for row in rows if row.place == place and row.word is not None)),
        )
        for place, word in enumerate(words, 1)
    ]


def similar(words: Sequence[Word]) -> list[Word]:
    """The same words, and those that differ from one of them by a wrong, missing, doubled or exchanged letter; long ones by two."""
    rows = db.session.execute(COMPARED, {"typed": [word.typed for word in words]}).all() if words else []
    near: dict[int, list[tuple[int, str]]] = {}
    for place, typed, word, folded in rows:
        distance = differing_letters(typed, folded)
        if distance <= (1 if len(typed) < MIN_TWO_ERRORS else 2):
            near.setdefault(place, []).append((distance, word))
    return [
        Word(
            word.typed,
            word.begins,
            (*word.whole, *(one for _, one in sorted(near.get(place, []))[:MAX_SIMILAR])),
        )
        for place, word in enumerate(words, 1)
    ]


def differing_letters(one: str, other: str) -> int:
    """How many letters must be changed, added, left out or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
