"""Figures as files: the numbers of the pages, safe to open in a spreadsheet, and recorded."""

import csv
import io
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Lesson
from tests.factories import in_context, make_user, signed_in


def rows_of(browser: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_files_have_the_same_numbers_and_no_formula(browser: FlaskClient, lesson: Lesson) -> None:
    days = rows_of(browser, "/figures/days.csv?span=7")
    assert [row["minutes_watched"] for row in days] == ["", "", "", "", "2.0", "", ""]
    assert days[-1] == {
        "day_utc": f"{datetime.now(UTC).date()}", "minutes_watched": "", "plays": "", "sales": "1", "sold_for": "9.00", "currency": "EUR",
    }  # fmt: skip
    assert rows_of(browser, f"/lessons/{lesson.id}/figures/days.csv?span=7") == days
    [row] = rows_of(browser, "/figures/lessons.csv")
    told = (row["title"], row["minutes_watched"], row["plays"], row["sales"], row["sold_for"])
    assert told == ("'=Bread", "2.0", "", "1", "9.00")
    with in_context():
        taken = db.session.scalars(select(AuditLog.detail).where(AuditLog.action == "figures.exported")).all()
    assert [(one["of"], one["rows"]) for one in taken] == [("days", 7), ("days", 7), ("lessons", 1)]


def test_a_file_of_the_school_has_all_lessons(lesson: Lesson) -> None:
    support = signed_in(make_user(role="support"))
    found = rows_of(support, "/figures/lessons.csv")
    assert {row["title"]: row["minutes_watched"] for row in found} == {"'=Bread": "2.0", "Foreign": "100.0"}
    mine = rows_of(support, f"/figures/lessons.csv?instructor={lesson.creator_id}")
    assert [row["title"] for row in mine] == ["'=Bread"]
