"""The settings that every test runs with: the environment of a small, complete installation, and how a test changes one."""

from collections.abc import Iterator
from contextlib import contextmanager

from devstack.servers import for_tests
from lessonadmin import config

REQUIRED = tuple(name.upper() for name, field in config.Settings.model_fields.items() if field.is_required())


def environment(*, database_url: str, redis_url: str, **changes: str) -> dict[str, str]:
    """The environment of the product under test; `changes` are further settings by their upper-case names."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "only-for-tests-and-as-long-as-it-has-to-be",
        "PUBLIC_URL": "http://localhost",
        "MUX_TOKEN_ID": "web-token",
        "MUX_TOKEN_SECRET": "web-secret",
        "MUX_WORKER_TOKEN_ID": "worker-token",
        "MUX_WORKER_TOKEN_SECRET": "worker-secret",
        "MUX_WEBHOOK_SECRETS": "test-webhook-secret",
        # no server listens there: a test that wants Mux to answer starts the simulator and says so
        "MUX_API_URL": "http://127.0.0.1:1",
        "MUX_STREAM_URL": "http://127.0.0.1:1",
        "MUX_IMAGE_URL": "http://127.0.0.1:1",
        **changes,
    }


def migrate(owner: str, application: str) -> None:
    """An empty database gets the product's tables, roles and policies: the URLs of the owner and of the application."""
    settings = environment(database_url=application, redis_url="redis://127.0.0.1:1/0")
    for_tests.run_flask("db", "upgrade", settings=settings | {"MIGRATION_DATABASE_URL": owner})


@contextmanager
def overridden(**changes: object) -> Iterator[config.Settings]:
    """Other values for the length of a block, as the fields hold them: nothing is parsed or checked."""
    unknown = set(changes) - set(config.Settings.model_fields)
    assert not unknown, f"no such setting: {unknown}"
    before = config.current()
    config.use(before.model_copy(update=changes))
    try:
        yield config.current()
    finally:
        config.use(before)
