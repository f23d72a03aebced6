"""Where Mux fetches captions that a person wrote: text for a signed address, and nothing without one."""

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.captions import text_address
from lessonadmin.security import hiding
from tests.domain.captions.support import captioned, given_captions
from tests.factories import in_context

pytestmark = pytest.mark.usefixtures("app")


def test_a_signed_address_gives_the_text_to_a_caller_without_an_account(client: FlaskClient) -> None:
    with in_context():
        row = given_captions(captioned("asked"))
        with transaction(CLI):
            row.webvtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"
        path = "/captions/" + text_address.of(row.id).rpartition("/")[2]
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/vtt")
    assert answer.text.startswith("WEBVTT")
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.get(path[:-1]).status_code == 404
    assert path.rpartition("/")[2] not in hiding.secrets(f"GET {path}")
