"""Fixtures of the tests of links by mail."""

from collections.abc import Iterator

import pytest

from tests import postbox
from tests.domain.account_life.support import PUBLIC_URL
from tests.postbox import Postbox
from tests.settings import overridden


@pytest.fixture
def box() -> Iterator[Postbox]:
    """A mail server of the test's own, and settings that name it."""
    with postbox.running() as running, overridden(mail_url=running.url, public_url=PUBLIC_URL):
        yield running
