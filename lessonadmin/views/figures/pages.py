"""The pages: sums, charts and numbers by day, and the lessons of which most came."""

import uuid
from typing import Any

from flask import render_template, request, url_for

from lessonadmin import auth
from lessonadmin.domain.figures import figures, lesson_list, scope
from lessonadmin.domain.figures.scope import Scope, Span
from lessonadmin.domain.progress import counts
from lessonadmin.views.figures.blueprint import asked, bp, span_asked
from lessonadmin.views.lessons import blueprint as of_lessons
from lessonadmin.web import address_numbers

SPAN_WORDS = {"7": "7 days", "30": "30 days", "90": "90 days", "all": "All time"}


@bp.get("")
def index() -> str:
    which, instructor = asked()
    span = span_asked()
    sort = lesson_list.read_sort(request.args.get("sort", ""))
    number = address_numbers.page(lesson_list.LAST_PAGE)
    kept: dict[str, Any] = {"instructor": instructor.id if instructor else None, "span": span}

    def link(**changes: Any) -> str:
        chosen = {**kept, "sort": sort, **changes}
        usual = {"span": scope.USUAL, "sort": "minutes", "page": 1}
        return url_for(
            ".index", **{name: value for name, value in chosen.items() if usual.get(name) != value}
        )

    return render_template(
        "figures/index.html",
        figures=figures.of(which, span),
        best=lesson_list.best(which, span, sort, number),
        instructor=instructor,
        sort=sort,
        link=link,
        tabs_of=_tabs(span, lambda one: link(span=one)),
        days_url=url_for(".days", **kept),
        lessons_url=url_for(".lessons", **kept),
    )


@of_lessons.bp.get("/<uuid:lesson_id>/figures", endpoint="figures")
def of_lesson(lesson_id: uuid.UUID) -> str:
    lesson = of_lessons.lesson_to_change(lesson_id)
    span = span_asked()
    return render_template(
        "figures/lesson.html",
        lesson=lesson,
        students=counts.of_lesson(auth.current_user(), lesson),
        figures=figures.of(Scope(lesson_id=lesson.id), span),
        tabs_of=_tabs(span, lambda one: url_for("lessons.figures", lesson_id=lesson.id, span=one)),
        days_url=url_for("lessons.figures_days", lesson_id=lesson.id, span=span),
    )


def _tabs(span: Span, url: Any) -> list[tuple[str, str, None, bool]]:
    return [(SPAN_WORDS[one], url(one), None, one == span) for one in scope.SPANS]
