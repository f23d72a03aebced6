"""The servers that the tests themselves run on."""

import psycopg
import pytest
import redis

from devstack.servers.for_tests import Servers


def test_the_database_is_empty_and_at_head(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


@pytest.mark.parametrize("number", [1, 2])
def test_what_one_test_writes_the_next_does_not_see(pg_url: str, redis_url: str, number: int) -> None:
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        connection.execute("INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'somebody@example.org')")
    with redis.Redis.from_url(redis_url) as store:
        assert store.dbsize() == 0
        store.set("key", number)


def test_the_product_is_no_superuser(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:
        found = connection.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert found == (False, False)


def test_a_database_of_ones_own(real_servers: Servers) -> None:
    url = real_servers.database("a_database_of_ones_own")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_no_server_listens_on_the_network(real_servers: Servers) -> None:
    with real_servers.postgres.superuser() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_redis_wants_the_password(real_servers: Servers) -> None:
    with (
        redis.Redis(port=real_servers.redis_port, retry=None) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
