"""What the application's role may do to its database, and how the upgrade puts roles, rights and policies in place."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, create_engine, text

from devstack.servers.for_tests import TEMPLATE, Servers
from devstack.servers.postgres import APP_ROLE, SERVICE_ROLE
from lessonadmin.database import database_roles
from lessonadmin.database.database_roles import RolesNotReady
from lessonadmin.domain import row_policies

POLICIES = row_policies.policies()
PROTECTED = sorted({policy.table for policy in POLICIES})


@pytest.fixture(params=[APP_ROLE, SERVICE_ROLE])
def application(
    pg_url: str, request: pytest.FixtureRequest
) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """The application's connection, as itself and with its service role."""
    with psycopg.connect(pg_url, options="") as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(request.param)))
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'x'",
        "TRUNCATE audit_log",
        "TRUNCATE heartbeats",
        "ALTER TABLE audit_log DISABLE TRIGGER USER",
        "ALTER TABLE lessons DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE lessons NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own ON lessons",
        "CREATE POLICY all_mine ON lessons USING (true)",
        "ALTER TABLE lessons ADD COLUMN planted text",
        "CREATE TABLE planted (id int)",
        "CREATE OR REPLACE FUNCTION tracking_belongs_to() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "UPDATE alembic_version SET version_num = '0001'",
        "SET session_replication_role = replica",
        "SET ROLE lessonadmin",
        "SET ROLE postgres",
        "ALTER ROLE lessonadmin_app BYPASSRLS",
        "CREATE ROLE planted",
        "COPY users TO PROGRAM 'cat'",
    ],
)
def test_the_application_changes_no_table_and_no_past(
    application: "psycopg.Connection[tuple[object, ...]]", attack: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute(attack)  # type: ignore[arg-type]  # the test's own texts


def test_of_the_test_the_owner_may(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        connection.execute("TRUNCATE audit_log")
        connection.rollback()


def test_it_reads_and_writes_every_table(application: "psycopg.Connection[tuple[object, ...]]") -> None:
    names = [
        name
        for (name,) in application.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
    ]
    assert len(names) > 20
    for name in names:
        wanted = "SELECT, INSERT" if name == "audit_log" else "SELECT, INSERT, UPDATE, DELETE"
        for right in wanted.split(", "):
            assert application.execute("SELECT has_table_privilege(%s, %s)", [name, right]).fetchone() == (
                True,
            ), name


def test_every_protected_table_is_protected_from_its_owner_too(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
        ).fetchall()
    assert [name for (name,) in found] == PROTECTED


def test_a_service_role_is_no_one_to_sign_in_as_and_its_rights_must_be_taken_up(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "SELECT rolcanlogin, rolsuper, rolbypassrls, pg_has_role(%s, oid, 'MEMBER'), pg_has_role(%s, oid, 'USAGE')"
            " FROM pg_roles WHERE rolname = %s",
            [APP_ROLE, APP_ROLE, SERVICE_ROLE],
        ).fetchone()
    assert row == (False, False, False, True, False)


@pytest.fixture
def roles(real_servers: Servers, worker_id: str) -> Iterator[Connection]:
    """A database of its own, as its owner; the roles that a test makes are gone after it."""
    name = f"roles_{worker_id}_{uuid.uuid4().hex[:6]}"
    real_servers.postgres.create_database(name, template=TEMPLATE)
    engine = create_engine(real_servers.postgres.url(name).replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def installed(connection: Connection, application: str) -> list[str]:
    """The statements that change something: none the second time."""
    sent: list[str] = []
    original = connection.exec_driver_sql

    def noting(statement: str, *more: object) -> object:
        if not statement.startswith(("GRANT", "REVOKE")):
            sent.append(statement)
        return original(statement, *more)

    connection.exec_driver_sql = noting  # type: ignore[method-assign,assignment]  # of this one connection
    assert database_roles.install(connection, application=application, policies=POLICIES)
    return sent


def test_done_again_it_changes_nothing_and_what_was_changed_is_mended(roles: Connection) -> None:
    assert installed(roles, APP_ROLE) == []
    roles.execute(text("DROP POLICY service ON lessons"))
    roles.execute(text("CREATE POLICY planted ON lessons USING (true)"))
    sent = installed(roles, APP_ROLE)
    assert any("DROP POLICY" in one and "planted" in one for one in sent)
    names = roles.scalars(text("SELECT polname FROM pg_policy WHERE polrelid = 'lessons'::regclass")).all()
    assert sorted(names) == ["bought", "on_sale", "own", "owner", "service"]


def test_where_one_role_does_all_nothing_is_done(roles: Connection) -> None:
    assert not database_roles.install(roles, application="lessonadmin", policies=POLICIES)


def test_a_new_role_gets_a_service_role_of_its_own_without_its_rights(roles: Connection) -> None:
    roles.execute(text('CREATE ROLE "other school" LOGIN'))
    assert any("other school_service" in one for one in installed(roles, "other school"))
    inherits = text("SELECT pg_has_role('other school', 'other school_service', :how)")
    assert [roles.scalar(inherits, {"how": how}) for how in ("MEMBER", "USAGE")] == [True, False]


def test_a_membership_that_gives_its_rights_at_once_is_mended(roles: Connection) -> None:
    roles.execute(text("CREATE ROLE eager LOGIN"))
    roles.execute(text("CREATE ROLE eager_service"))
    roles.execute(text("GRANT eager_service TO eager WITH INHERIT TRUE"))
    installed(roles, "eager")
    assert roles.scalar(text("SELECT pg_has_role('eager', 'eager_service', 'USAGE')")) is False


def test_a_role_that_owns_tables_is_refused_with_what_to_do(roles: Connection) -> None:
    roles.execute(text("CREATE ROLE landlord LOGIN"))
    roles.execute(text("GRANT landlord TO lessonadmin"))
    roles.execute(text("GRANT CREATE ON SCHEMA public TO landlord"))
    roles.execute(text("ALTER TABLE heartbeats OWNER TO landlord"))
    with pytest.raises(RolesNotReady, match="REASSIGN OWNED BY landlord"):
        database_roles.install(roles, application="landlord", policies=POLICIES)


def test_a_superuser_is_refused(roles: Connection) -> None:
    with pytest.raises(RolesNotReady, match="NOSUPERUSER"):
        database_roles.install(roles, application="postgres", policies=POLICIES)


def test_an_owner_that_may_make_no_roles_says_what_a_superuser_has_to_run(
    roles: Connection, real_servers: Servers
) -> None:
    roles.execute(text("CREATE ROLE newcomer LOGIN"))
    roles.commit()
    try:
        with real_servers.postgres.superuser() as superuser:
            superuser.execute("ALTER ROLE lessonadmin NOCREATEROLE")
        with pytest.raises(
            RolesNotReady, match="CREATE ROLE newcomer_service NOLOGIN; GRANT newcomer_service TO newcomer"
        ):
            database_roles.install(roles, application="newcomer", policies=POLICIES)
    finally:
        with real_servers.postgres.superuser() as superuser:
            superuser.execute("ALTER ROLE lessonadmin CREATEROLE")
            superuser.execute("DROP ROLE newcomer")
