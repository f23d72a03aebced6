"""The page that describes the API to people, made from the same document as `/api/openapi.json`."""

from typing import Any

import pytest

from lessonadmin.views.api import docs_page, openapi
from tests.views.api.conftest import People

PATHS = sorted(openapi.document()["paths"])


def test_the_page_names_every_address(people: People) -> None:
    page = people.student.get("/docs")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert PATHS
    assert [path for path in PATHS if path not in text] == []
    assert "https://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "maxLength": 2000}, "text, at most 2,000 characters"),
        ({"type": "integer", "minimum": 0, "maximum": 100}, "whole number from 0 to 100"),
        ({"type": "string", "format": "uuid"}, "id"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "time or null"),
        (
            {"type": "array", "items": {"$ref": "#/components/schemas/Lesson"}},
            'list of <a href="#Lesson">Lesson</a>',
        ),
    ],
)
def test_a_type_is_told_in_a_few_words(schema: dict[str, Any], words: str) -> None:
    assert docs_page.kind_of(schema) == words


def test_only_what_stands_between_backticks_is_code() -> None:
    assert docs_page.in_code("Send `a<b` & wait.") == "Send <code>a&lt;b</code> &amp; wait."
