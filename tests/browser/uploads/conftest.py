"""What the stories of files on their way share."""

import pytest

from tests.browser.school import School


@pytest.fixture
def course(school: School) -> str:
    return school.course("Watercolours")
