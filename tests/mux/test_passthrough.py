"""The product's own note on an asset comes back as it was sent; no other text is taken for one."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux import Passthrough, parse_passthrough
from tests.cases import each_of

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


@given(owner=st.uuids(), tracking=st.none() | st.uuids(), lesson=st.booleans())
def test_it_comes_back_as_it_went(owner: uuid.UUID, tracking: uuid.UUID | None, lesson: bool) -> None:
    note = (
        Passthrough(lesson_id=owner, tracking_id=tracking)
        if lesson
        else Passthrough(course_id=owner, tracking_id=tracking)
    )
    assert parse_passthrough(note.text()) == note
    assert len(note.text()) <= 255


def test_the_text_is_compact_json_with_the_names_of_the_contract() -> None:
    text = Passthrough(lesson_id=ONE, tracking_id=TWO).text()
    assert json.loads(text) == {"lesson_id": str(ONE), "tracking_id": str(TWO), "app": "lessonadmin"}
    assert " " not in text
    assert set(json.loads(Passthrough(course_id=ONE).text())) == {"course_id", "app"}


@pytest.mark.parametrize("owners", [{}, {"lesson_id": ONE, "course_id": TWO}])
def test_it_has_exactly_one_owner(owners: dict[str, uuid.UUID]) -> None:
    with pytest.raises(ValueError, match="one of them only"):
        Passthrough(**owners)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"lesson_id": str(ONE)}),
        json.dumps({"lesson_id": str(ONE).upper(), "course_id": None, "more": [1]}),
        json.dumps({"lesson_id": str(ONE), "tracking_id": "not ours"}, indent=1),
    ],
)
def test_older_and_fuller_notes_are_ours_too(text: str) -> None:
    assert parse_passthrough(text) == Passthrough(lesson_id=ONE)


@each_of(
    "text",
    [
        None,
        7,
        {"lesson_id": str(ONE)},
        "",
        "video 17",
        str(ONE),
        "null",
        "[]",
        "{}",
        "{",
        '{"lesson_id": 1}',
        '{"lesson_id": "1"}',
        '{"lesson_id": ["x"]}',
        json.dumps({"lesson_id": f"{{{ONE}}}"}),
        json.dumps({"lesson_id": ONE.hex}),
        json.dumps({"lesson_id": f"{ONE}\n"}),
        json.dumps({"lesson_id": str(ONE), "course_id": str(TWO)}),
        json.dumps({"lesson_id": str(ONE), "course_id": "x"}),
        json.dumps({"lesson_id": str(ONE), "app": "another"}),
        json.dumps({"lesson_id": str(ONE), "app": None}),
        json.dumps({"lesson_id": str(ONE), "padding": "x" * 300}),
        '{"lesson_id": ' + "[" * 240,
        '{"a":' * 51,
        "\ud800",
    ],
)
def test_other_text_names_no_owner(text: object) -> None:
    assert parse_passthrough(text) is None


@given(st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_no_text_breaks_it(text: str) -> None:
    assert parse_passthrough(text) is None
