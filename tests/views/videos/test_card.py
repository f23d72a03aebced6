"""The state of a video, as an open page asks for it."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from tests.factories import make_lesson, make_tracking

pytestmark = pytest.mark.usefixtures("app")


def test_after_sixty_asks_the_page_says_that_it_goes_on_without_it(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_lesson(creator=instructor, video_processing_status="processing")
    make_tracking(lesson, status="processing", mux_asset_id="a")
    state = f"/lessons/{lesson.id}/video?attempt="
    headers = {"X-Fragment": "video"}
    assert 'data-next="30000"' in browser.get(f"{state}59", headers=headers).get_data(as_text=True)
    last = browser.get(f"{state}60", headers=headers).get_data(as_text=True)
    assert 'data-next=""' in last
    assert "It goes on in the background" in last
    assert 'data-next="5000"' in browser.get(f"{state}nonsense", headers=headers).get_data(as_text=True)
