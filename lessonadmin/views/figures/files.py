"""The files: the numbers by day, and all lessons with what came of each. That one was taken leaves an audit row."""

import uuid
from collections.abc import Iterator

from flask import Response

from lessonadmin.domain.figures import figures, lesson_list
from lessonadmin.domain.figures.figures import Figures
from lessonadmin.domain.figures.scope import Scope, Span
from lessonadmin.domain.prices import currency, price_text
from lessonadmin.security import csv_files
from lessonadmin.text import spreadsheets
from lessonadmin.views.figures.blueprint import asked, bp, span_asked
from lessonadmin.views.lessons import blueprint as of_lessons

DAY_COLUMNS = ("day_utc", "minutes_watched", "plays", "sales", "sold_for", "currency")
LESSON_COLUMNS = (
    "id",
    "title",
    "instructor",
    "price",
    "minutes_watched",
    "plays",
    "sales",
    "sold_for",
    "currency",
)


@bp.get("/days.csv")
def days() -> Response:
    which, instructor = asked()
    return _days_file(which, instructor=str(instructor.id) if instructor else None)


@bp.get("/lessons.csv")
def lessons() -> Response:
    which, instructor = asked()
    span = span_asked()
    shows_plays = figures.of(which, span).shows_plays
    csv_files.record(
        "figures",
        lesson_list.count(which),
        of="lessons",
        span=span,
        instructor=str(instructor.id) if instructor else None,
    )
    return csv_files.answer("figures-lessons.csv", _lesson_lines(which, span, shows_plays))


@of_lessons.bp.get("/<uuid:lesson_id>/figures/days.csv", endpoint="figures_days")
def days_of_lesson(lesson_id: uuid.UUID) -> Response:
    lesson = of_lessons.lesson_to_change(lesson_id)
    return _days_file(Scope(lesson_id=lesson.id), lesson=str(lesson.id))


def _days_file(which: Scope, **about: str | None) -> Response:
    found = figures.of(which, span_asked())
    csv_files.record("figures", len(found.steps), of="days", span=found.span, **about)
    return csv_files.answer("figures-days.csv", _day_lines(found))


def _day_lines(found: Figures) -> Iterator[str]:
    yield spreadsheets.line(DAY_COLUMNS)
    for day, amounts in found.steps.items():
        minutes = None if amounts.minutes is None else round(amounts.minutes, 2)
        yield spreadsheets.line(
            (day.isoformat(), minutes, amounts.plays, amounts.sales, price_text(amounts.cents), currency())
        )


def _lesson_lines(which: Scope, span: Span, shows_plays: bool) -> Iterator[str]:
    yield spreadsheets.line(LESSON_COLUMNS)
    for rows in lesson_list.every(which, span):
        yield "".join(
            spreadsheets.line(
                (
                    row.id,
                    row.title,
                    row.instructor,
                    price_text(row.price_cents),
                    round(row.minutes, 2),
                    row.plays if shows_plays else None,
                    row.sales,
                    price_text(row.cents),
                    currency(),
                )
            )
            for row in rows
        )
