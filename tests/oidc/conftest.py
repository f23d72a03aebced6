"""A provider, and settings that name it."""

from collections.abc import Iterator

import pytest

from lessonadmin import outbound
from lessonadmin.oidc import calls, provider
from tests.provider import Provider, running, settings_for
from tests.settings import overridden

QUICK = outbound.Limits(connect=0.5, read=0.5, whole=1.0, body=100_000)


@pytest.fixture
def school(settings: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider, with short limits; nothing of another test is kept."""
    monkeypatch.setattr(calls, "LIMITS", QUICK)
    provider.forget()
    with running() as found, overridden(**settings_for(found)):
        yield found
    provider.forget()
