"""What a list says it holds is what it holds, however it was counted: by its rows, by others that are as many, by names."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin.domain.health import dashboard
from lessonadmin.domain.querying import bounded_count
from tests.admin.samples import browser
from tests.factories import in_context, make_course, make_lesson, make_tracking
from tests.pages import page_of

LONG_AGO = datetime.now(UTC) - timedelta(days=2)


@pytest.mark.parametrize("query", ["view=stuck", "flt0_stuck_is=yes"])
def test_stuck_lessons_are_as_many_as_their_uploads(app: Flask, query: str) -> None:
    stuck = [make_lesson(title=f"Stuck {number}") for number in range(3)]
    for number, lesson in enumerate(stuck):
        make_tracking(lesson, upload_id=f"gone{number}", status="cancelled", created_at=LONG_AGO)
        make_tracking(lesson, upload_id=f"up{number}", status="uploading", created_at=LONG_AGO)
    make_tracking(make_lesson(title="Fresh"), upload_id="fresh", status="uploading")
    make_tracking(make_course(), upload_id="course", status="uploading", created_at=LONG_AGO)
    page = page_of(browser().get(f"/admin/lesson/?{query}"))
    assert "3 rows" in page.text()
    with in_context():
        assert dashboard.lessons_stuck() == 3, "the dashboard and the metrics say the same"
    for lesson in stuck:
        assert lesson.title in page.text()
    assert "Fresh" not in page.text()


def test_not_stuck_and_stuck_with_something_else_are_counted_by_themselves(app: Flask) -> None:
    for number in range(3):
        lesson = make_lesson(title=f"Stuck {number}", price_cents=100 * number)
        make_tracking(lesson, upload_id=f"up{number}", status="uploading", created_at=LONG_AGO)
    make_lesson(title="Fresh")
    admin = browser()
    for query, words in (
        ("flt0_stuck_is=no", "1 row "),
        ("flt0_stuck_is=yes&flt1_price_at_least=2", "1 row "),
        ("view=stuck&search=stuck", "3 rows"),
        ("view=stuck&search=fresh", "0 rows"),
    ):
        assert words in page_of(admin.get(f"/admin/lesson/?{query}")).text(), query


def test_many_that_a_search_finds_are_said_to_be_more_than_were_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_count, "MANY_OF_NEWEST", 3)
    monkeypatch.setattr(bounded_count, "MAX_OF_MANY", 4)
    for number in range(6):
        make_lesson(title=f"Water {number}")
    page = page_of(browser().get("/admin/lesson/?search=water"))
    assert "more than 4 rows" in page.text()
    assert all(f"Water {number}" in page.text() for number in range(6))


def test_what_a_filter_leaves_is_counted_less_far_than_what_is_sorted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessonadmin.admin.framework.table.MAX_FILTERED", 4)
    for number in range(6):
        make_lesson(title=f"Water {number}")
    admin = browser()
    for query, words in (
        ("", "6 rows"),
        ("flt0_state_is=draft", "more than 4 rows"),
        ("flt0_state_is=draft&sort=0", "6 rows"),
        ("flt0_state_is=draft&search=water", "6 rows"),
        ("flt0_state_is=published", "0 rows"),
    ):
        page = page_of(admin.get(f"/admin/lesson/?{query}"))
        assert words in page.text(), query
        assert all((f"Water {number}" in page.text()) == ("published" not in query) for number in range(6))
