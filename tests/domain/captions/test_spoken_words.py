"""A search finds what is said in videos, for those who may play them alone: it tells no words of others, and an index answers it."""

import pytest

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.captions import spoken_words
from lessonadmin.domain.lessons import catalog, worklist
from lessonadmin.domain.models import Lesson, User
from tests import queries
from tests.domain.captions.support import transcribed
from tests.factories import make_playing_lesson, make_purchase, make_user
from tests.queries import asked, plans_of

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def ada() -> User:
    return make_user()


@pytest.fixture
def lessons(ada: User) -> dict[str, Lesson]:
    """One of each kind, each of which says the same."""
    kinds = {
        "paid": {"price_cents": 900},
        "free": {"price_cents": 0},
        "draft": {"price_cents": 0, "status": "draft", "published_at": None},
    }
    return {
        name: transcribed("Knead the sourdough well.", creator=ada, title=name, **more)
        for name, more in kinds.items()
    }


def named(found: list[object], lessons: dict[str, Lesson]) -> set[str]:
    return {name for name, lesson in lessons.items() if lesson.id in found}


def test_only_those_who_may_play_a_lesson_find_what_is_said_in_it(
    ada: User, lessons: dict[str, Lesson]
) -> None:
    buyer, student, other = make_user(role="student"), make_user(role="student"), make_user()
    make_purchase(lessons["paid"], buyer)
    support = make_user(role="support")
    db.session.commit()
    expected = {
        ada: {"paid", "free", "draft"}, support: {"paid", "free", "draft"}, buyer: {"paid", "free"},
        student: {"free"}, other: {"free"},
    }  # fmt: skip
    for user, names in expected.items():
        with row_access.within(EVERYTHING if user.is_staff else RowAccess(user.id)):
            for typed in ("sourdough", "knead WELL", "sourd"):
                assert named(list(spoken_words.lessons_saying(user, typed)), lessons) == names
            for typed in ("bread", "", "sourdough bread", "'%|!:*"):
                assert spoken_words.lessons_saying(user, typed) == []
                assert spoken_words.condition(user, typed) is None


def test_the_catalogue_and_a_teachers_list_find_them(ada: User, lessons: dict[str, Lesson]) -> None:
    student, buyer = make_user(role="student"), make_user(role="student")
    make_purchase(lessons["paid"], buyer)
    db.session.commit()

    def in_catalogue(user: User, *, bought: bool = False) -> set[str]:
        page = catalog.page(user, catalog.Query(q="sourdough", bought=bought))
        return {entry.lesson.title for entry in page.entries}

    assert in_catalogue(student) == {"free"}
    assert catalog.count_lessons(student, "sourdough") == 1
    assert in_catalogue(buyer) == {"paid", "free"}
    assert in_catalogue(buyer, bought=True) == {"paid"}
    assert {one.title for one in worklist.page(ada, worklist.Query(q="sourdough")).lessons} == set(lessons)
    assert {one.title for one in worklist.page(ada, worklist.Query(q="sourdough", state="draft")).lessons} == {"draft"}  # fmt: skip


def test_a_page_that_is_full_of_what_is_written_asks_for_no_transcripts(
    lessons: dict[str, Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    student = make_user(role="student")
    make_playing_lesson(title="Sourdough", price_cents=0)
    for per_page, looks in ((24, True), (0, False)):  # one more is read, to know whether there is a next page
        monkeypatch.setattr(catalog, "PER_PAGE", per_page)
        with asked() as sent:
            catalog.page(student, catalog.Query(q="sourdough"))
        assert any("FROM transcripts" in one[0] or "JOIN transcripts" in one[0] for one in sent) is looks


def test_a_revoked_purchase_and_another_video_end_it(ada: User, lessons: dict[str, Lesson]) -> None:
    buyer = make_user(role="student")
    purchase = make_purchase(lessons["paid"], buyer)
    db.session.commit()
    assert lessons["paid"].id in spoken_words.lessons_saying(buyer, "sourdough")
    with transaction(CLI):
        purchase.revoked_at, purchase.revoke_reason, purchase.lesson_title = purchase.created_at, "asked", "x"
    assert lessons["paid"].id not in spoken_words.lessons_saying(buyer, "sourdough")
    with transaction(CLI):
        lessons["draft"].mux_asset_id = "another asset"
    assert lessons["draft"].id not in spoken_words.lessons_saying(ada, "sourdough")


ROWS = """
INSERT INTO caption_tracks (id, tracking_id, mux_track_id, source, state)
  SELECT t.lesson_id, t.id, 'plan', 'generated', 'ready' FROM mux_asset_tracking t JOIN lessons l ON l.id = t.lesson_id
    WHERE l.title LIKE 'Lesson %%';
INSERT INTO transcripts (track_id, lesson_id, mux_asset_id, is_own, lines, words)
  SELECT id, id, 'asset', false, '[[0, "x"]]', 'word' || row_number() OVER () FROM caption_tracks WHERE mux_track_id = 'plan';
ANALYZE transcripts
"""


@pytest.mark.parametrize("role", ["student", "instructor", "support"])
def test_the_index_of_words_answers_it(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user(role=role)
    with asked() as sent:
        spoken_words.lessons_saying(user, "word17")
    searches = [one for one in sent if "@@" in one[0]]
    monkeypatch.setattr("tests.queries.ROWS", f"{queries.ROWS};{ROWS.replace('%%', '%')}")
    plans = plans_of(searches, without=["seqscan"])
    assert all("Seq Scan on transcripts" not in plan for plan in plans)
    assert "ix_transcripts_search" in plans[-1], "of a whole school's lessons"
    assert "ix_transcripts" in plans[0], "of one's own: by their lesson"
