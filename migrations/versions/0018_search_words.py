"""The words of all titles, descriptions and instructors' names, for searches by a part of a word and with wrong letters

Revision ID: 0018
Revises: 0017

Triggers add the words of each row that is written; a word is added once and stays. No two writers wait for each other:
there is no unique index, and a word that two of them add at the same moment is there twice, which harms no search.

Locks: the triggers take one on `users`, `courses` and `lessons` for a moment, one after the other. Then the words
of the rows that are there are read beside all writers: about 40 seconds for a million lessons with descriptions of 60 words.
An upgrade that was broken off is begun again.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Functions name the schema of what they call: a restore of a dump has no search path.
SCHEMA = """
CREATE TABLE IF NOT EXISTS search_words (
  id uuid DEFAULT gen_random_uuid() NOT NULL,
  word text NOT NULL,
  folded text NOT NULL,
  grams text[] NOT NULL,
  CONSTRAINT pk_search_words PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_search_words_word ON search_words (word);

CREATE OR REPLACE FUNCTION search_folded(word text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT replace(replace(replace(translate(
    regexp_replace(lower(normalize(word, NFKD)), U&'[\\0300-\\036F]', '', 'g'),
    U&'\\00F8\\0142\\0111\\0131', 'oldi'), U&'\\00DF', 'ss'), U&'\\00E6', 'ae'), U&'\\0153', 'oe')
$$;

CREATE OR REPLACE FUNCTION search_grams(word text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_agg(DISTINCT substr(word, place, 3)) FROM generate_series(1, length(word) - 2) AS place
$$;

CREATE OR REPLACE FUNCTION add_search_words(found text[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO public.search_words (word, folded, grams)
  SELECT word, folded, public.search_grams(' ' || folded || ' ')
    FROM (SELECT word, public.search_folded(word) AS folded
            FROM unnest(found) AS word
           WHERE length(word) BETWEEN 2 AND 40 AND word ~ '^[^][0-9/.:@_%&?=+,;(){}-]+$') AS one
   WHERE folded <> '' AND NOT EXISTS (SELECT FROM public.search_words known WHERE known.word = one.word)
$$;

CREATE OR REPLACE FUNCTION search_words_of_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.add_search_words(tsvector_to_array(NEW.search));
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_words_of_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.add_search_words(tsvector_to_array(to_tsvector('simple', NEW.name)));
  RETURN NULL;
END $$;
"""
# Each by itself, so that none is waited for while another is locked.
TRIGGERS = (
    (
        "search_words_of_lessons AFTER INSERT OR UPDATE OF title, description ON lessons"
        " FOR EACH ROW EXECUTE FUNCTION search_words_of_text()"
    ),
    (
        "search_words_of_courses AFTER INSERT OR UPDATE OF title, description ON courses"
        " FOR EACH ROW EXECUTE FUNCTION search_words_of_text()"
    ),
    (
        "search_words_of_instructors AFTER INSERT OR UPDATE OF name, role ON users"
        " FOR EACH ROW WHEN (NEW.role <> 'student') EXECUTE FUNCTION search_words_of_name()"
    ),
)
WORDS = """
SELECT add_search_words(array_agg(DISTINCT word)) FROM (
  SELECT lexeme AS word FROM lessons, unnest(search)
  UNION ALL SELECT lexeme FROM courses, unnest(search)
  UNION ALL SELECT lexeme FROM users, unnest(to_tsvector('simple', name)) WHERE role <> 'student') one
"""
INDEXES = (
    "ix_search_words_grams ON search_words USING gin (grams)",
    "ix_users_instructor_name ON users USING gin (to_tsvector('simple', name)) WHERE role <> 'student'",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(SCHEMA)
        for trigger in TRIGGERS:
            op.execute(f"CREATE OR REPLACE TRIGGER {trigger}")
        op.execute(WORDS)
        for definition in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {definition.partition(' ')[0]}")
            op.execute(f"CREATE INDEX CONCURRENTLY {definition}")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS ix_users_instructor_name")
    op.execute("DROP TRIGGER search_words_of_instructors ON users")
    op.execute("DROP TRIGGER search_words_of_courses ON courses")
    op.execute("DROP TRIGGER search_words_of_lessons ON lessons")
    op.execute("DROP FUNCTION search_words_of_name()")
    op.execute("DROP FUNCTION search_words_of_text()")
    op.execute("DROP FUNCTION add_search_words(text[])")
    op.execute("DROP FUNCTION search_grams(text)")
    op.execute("DROP FUNCTION search_folded(text)")
    op.execute("DROP TABLE search_words")
