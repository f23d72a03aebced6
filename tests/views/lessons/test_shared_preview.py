"""The page of a preview link; that it shows and ends is told in tests/views/lessons/test_preview.py, where a link is made."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.domain.models import User
from lessonadmin.security import hiding
from tests.factories import make_playing_lesson
from tests.pages import csrf_of
from tests.views.lessons.test_preview import created

pytestmark = pytest.mark.usefixtures("app")


def test_its_secret_is_taken_out_of_logs(browser: FlaskClient, instructor: User) -> None:
    address = created(browser, make_playing_lesson(creator=instructor))
    assert address.removeprefix("/preview/") not in hiding.secrets(f"GET {address} 200")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_takes_nothing(browser: FlaskClient, instructor: User, method: str) -> None:
    address = created(browser, make_playing_lesson(creator=instructor))
    assert (
        getattr(browser, method)(address, data={"csrf_token": csrf_of(browser, "/account")}).status_code
        == 405
    )
