"""A provider, and settings that name it."""

from collections.abc import Iterator

import pytest

from lessonadmin import outbound
from lessonadmin.oidc import calls, provider
from tests.provider import Provider, running, settings_for
from tests.settings import overridden

QUICK = outbound.Limits(connect=0.5, read=0.5, whole=1.0, body=100_000)


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only for tests of a provider that never answers in time: an honest one may need half a second on a busy machine."""
    monkeypatch.setattr(calls, "LIMITS", QUICK)


@pytest.fixture
def school(settings: object) -> Iterator[Provider]:
    """The provider; nothing of another test is kept."""
    provider.forget()
    with running() as found, overridden(**settings_for(found)):
        yield found
    provider.forget()
