"""A provider that the application uses."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from lessonadmin.oidc import provider
from tests.provider import Provider, running, settings_for
from tests.settings import overridden


@pytest.fixture
def school(session: Session) -> Iterator[Provider]:
    provider.forget()
    with running() as found, overridden(**settings_for(found)):
        yield found
    provider.forget()
