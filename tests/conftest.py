"""What every test may ask for. The servers come from `devstack`; the settings from `tests/settings.py`.

`app`           the application, one for the whole run
`client`        pytest-flask's: a client at the other end of HTTP, not signed in; it is an `OutsideClient`
`accept_json`   pytest-flask's: the header of a client that wants JSON
`live_server`   pytest-flask's: an application in a process of its own (tests/web/test_live.py makes the application)
`session`       the database session of an application context that is open during the test
`clean`         nothing to ask for: a test that uses the database finds it empty, and Redis too
`real_hasher`   hashes of passwords cost what they cost in the product; else they are quick
"""

import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session

from tests.settings import environment

# A machine that is busy finds no fault in the product; where CI is set hypothesis does the same by itself.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if settings.get_current_profile_name() == "default":
    settings.load_profile("patient")

# The first of them chooses the folder of the counters, so nothing above may import `lessonadmin.metrics`.
pytest_plugins = ["devstack.pytest_plugin", "tests.chromium", "tests.mux_sim"]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """pytest-flask opens a request context around every test that has `app`, and so hides that one is missing.

    The plugin has no switch for that, and needs it for nothing but `url_for` in tests: a fixture of its name that does
    nothing takes its place. Everything else of the plugin is used as it is.
    """


@pytest.fixture(scope="session")
def settings_environment(pg_url: str, redis_url: str) -> dict[str, str]:
    """The environment of this worker's application; also for processes that a test starts."""
    return environment(database_url=pg_url, redis_url=redis_url)


@pytest.fixture
def settings() -> Iterator[object]:
    """Settings of a small installation without an application, for this test only."""
    from lessonadmin import config

    before = config._current
    nowhere = {"database_url": "postgresql://nobody@127.0.0.1/none", "redis_url": "redis://127.0.0.1:1/0"}
    config.use(config.load(environment(**nowhere)))
    yield config.current()
    config._current = before


@pytest.fixture(scope="session")
def app(settings_environment: dict[str, str], product_hasher: PasswordHasher) -> Iterator[Flask]:
    """The application on this worker's database and Redis."""
    from lessonadmin import config, create_app
    from lessonadmin.db import db
    from lessonadmin.domain.accounts import passwords
    from tests import factories

    application = create_app(config.load(settings_environment))
    application.testing = True
    application.test_client_class = OutsideClient
    factories.application = application
    # The product's own takes 60 ms of computing each time; processes that a test starts have that one.
    passwords._argon2 = QUICK_HASHER
    yield application
    passwords._argon2 = product_hasher
    factories.application = None
    with application.app_context():
        db.engine.dispose()


QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def product_hasher() -> PasswordHasher:
    """Taken before `app` puts another in its place."""
    from lessonadmin.domain.accounts import passwords

    return passwords._argon2


@pytest.fixture
def real_hasher(product_hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what a hash costs. Ask for it before anything that makes accounts."""
    from lessonadmin.domain.accounts import passwords

    monkeypatch.setattr(passwords, "_argon2", product_hasher)


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> None:
    """Before a test that uses the database: empty tables; before one that uses Redis: an empty Redis."""
    if "pg_url" in request.fixturenames:
        from lessonadmin.domain.webhooks import intake
        from lessonadmin.security import security_events

        for thread in threading.enumerate():
            if (
                thread.name == intake.THREAD
            ):  # it applies what a test has left, and would meet the rows of this one
                thread.join(30)
        request.getfixturevalue("empty_tables")()
        security_events._waiting.clear()  # what the test before left to be counted belongs to no other
    if "redis_url" in request.fixturenames:
        request.getfixturevalue("redis_connection").flushdb()


@pytest.fixture(scope="session")
def redis_connection(redis_url: str) -> Iterator["redis.Redis[Any]"]:
    """A connection to this worker's Redis."""
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


class OutsideClient(FlaskClient):
    """Every request starts from nothing, as it does on a server: no `g` and no session of the test's own context.
    A streamed answer is read there too, to its end.

    pytest-flask enters the client (`with app.test_client()`), which would keep the context of the last request open for
    the test to look into: of a server that is not seen.
    """

    def __enter__(self) -> "OutsideClient":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session that the domain uses, in an application context that lasts as long as the test."""
    from lessonadmin.db import db

    with app.app_context():
        yield db.session()
        db.session.remove()


@pytest.fixture
def enough_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background's calls to Mux do not run out; how the budget holds them back is proved elsewhere."""
    from lessonadmin.domain import mux_budget

    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
