"""The order of a course's lessons and sections: the whole order as the page has it, or that of a few lessons (`among`), and one step up
or down as the buttons ask.

The page of the course sends its rows, sections between the lessons that stand under them. A page that sends lessons alone moves none into
another section.
"""

import uuid
from collections.abc import Sequence
from typing import Literal, NamedTuple

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain.lessons import courses
from lessonadmin.domain.lessons.courses import Layout
from lessonadmin.text.ids import as_id
from lessonadmin.views.courses.blueprint import bp
from lessonadmin.web import fragments

STEPS = {"up": -1, "down": 1}


class Row(NamedTuple):
    """A line of the list: a lesson, or a section above its lessons."""

    kind: Literal["lesson", "section"]
    id: uuid.UUID


@bp.post("/<uuid:course_id>/order")
def order(course_id: uuid.UUID) -> Response:
    sent = [row for text in request.form.getlist("row") if (row := _row(text)) is not None]
    alone = [
        Row("lesson", one) for text in request.form.getlist("lesson_id") if (one := as_id(text)) is not None
    ]
    way, _, moved = request.form.get("move", "").partition(" ")
    rows = moved_by(sent or alone, as_id(moved), STEPS.get(way, 0))
    with transaction(auth.current_actor()):
        courses.reorder(
            auth.current_user(),
            course_id,
            [row.id for row in rows if row.kind == "lesson"],
            among_themselves="among" in request.form,
            layout=_layout(rows) if sent else None,
        )
    if fragments.wanted():
        return Response(status=204)
    anchor = next((f"{row.kind}-{row.id}" for row in rows if str(row.id) == moved), "lessons")
    return redirect(url_for("courses.edit", course_id=course_id, _anchor=anchor))


def _row(text: str) -> Row | None:
    kind, _, id_text = text.partition(" ")
    found = as_id(id_text)
    return Row(kind, found) if found is not None and kind in ("lesson", "section") else None  # type: ignore[arg-type]  # just asked


def _layout(rows: Sequence[Row]) -> Layout:
    """Under which section each lesson stands."""
    section_id: uuid.UUID | None = None
    section_of: dict[uuid.UUID, uuid.UUID | None] = {}
    for row in rows:
        if row.kind == "section":
            section_id = row.id
        else:
            section_of[row.id] = section_id
    return Layout([row.id for row in rows if row.kind == "section"], section_of)


def moved_by(rows: list[Row], row_id: uuid.UUID | None, step: int) -> list[Row]:
    """These rows with a lesson one row further up or down, also into another section, or with a section and its lessons before or after
    its neighbour; beyond the ends there is nowhere to go."""
    kinds = {row.id: row.kind for row in rows}
    if row_id not in kinds:
        return rows
    blocks = _sections(rows) if kinds[row_id] == "section" else [[row] for row in rows]
    at = next(number for number, block in enumerate(blocks) if block[:1] and block[0].id == row_id)
    first = 1 if kinds[row_id] == "section" else 0  # lessons without a section stay before all sections
    to = min(max(at + step, first), len(blocks) - 1)
    block = blocks.pop(at)
    blocks.insert(to, block)
    return [row for one in blocks for row in one]


def _sections(rows: Sequence[Row]) -> list[list[Row]]:
    """What stands under no section, then each section with its lessons."""
    blocks: list[list[Row]] = [[]]
    for row in rows:
        if row.kind == "section":
            blocks.append([])
        blocks[-1].append(row)
    return blocks
