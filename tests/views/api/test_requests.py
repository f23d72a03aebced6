"""The schemas of requests: what is refused before any rule of the domain is asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from lessonadmin.views.api.requests import LessonChange, LessonNew, LessonPage, StatusAsk, UploadAsk
from tests.cases import each_of


@each_of(
    "wrong",
    [
        {"title": ""},
        {"title": "a\x00b"},
        {"title": "a", "price_cents": -1},
        {"title": "a", "price_cents": 3.0},
        {"title": "a", "price_cents": "3"},
        {"title": "a", "price_cents": True},
        {"title": "a", "status": "ready"},
        {"title": "a", "creator_id": "x"},
        {},
    ],
)
def test_a_wrong_lesson_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LessonNew.model_validate(wrong)


def test_a_change_knows_what_was_left_out() -> None:
    assert LessonChange.model_validate({"course_id": None}).model_fields_set == {"course_id"}
    assert LessonChange.model_json_schema()["properties"]["title"].get("default") is None


@pytest.mark.parametrize(("given", "read"), [("-5", 0), ("7", 7), ("9" * 400, 999_999), (3, 3)])
def test_any_whole_number_of_attempts_is_taken(given: object, read: int) -> None:
    assert StatusAsk.model_validate({"attempt": given}).attempt == read


@pytest.mark.parametrize("language", ["xx", "English", ""])
def test_a_language_that_mux_cannot_write_is_refused(language: str) -> None:
    with pytest.raises(ValidationError):
        UploadAsk.model_validate({"filename": "a.mp4", "caption_language": language})


@pytest.mark.parametrize("page", [0, -1, 10**9])
def test_a_page_that_cannot_be_read_is_refused(page: int) -> None:
    with pytest.raises(ValidationError):
        LessonPage.model_validate({"page": page})
