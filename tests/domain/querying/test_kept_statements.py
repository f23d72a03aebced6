"""A kept statement is built once for its arguments and settings, and again when the settings are others."""

import pytest

from lessonadmin.domain.querying.kept_statements import kept
from tests.settings import overridden


@pytest.mark.usefixtures("app")
def test_it_is_built_once_for_each_argument_and_for_the_settings() -> None:
    built: list[str] = []

    @kept
    def statement(name: str) -> list[str]:
        built.append(name)
        return [name]

    first = statement("lesson")
    assert statement("lesson") is first
    assert statement("course") == ["course"]
    with overridden(stuck_after_seconds=77):
        assert statement("lesson") is not first
        assert statement("lesson") is statement("lesson")
    assert built == ["lesson", "course", "lesson"]
