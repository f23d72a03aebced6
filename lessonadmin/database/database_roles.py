"""The roles of the database, what each may do, and row-level security: put in place by `flask db upgrade`.

- The owner runs the migrations and owns every table. It is the role of MIGRATION_DATABASE_URL.
- The application's role is that of DATABASE_URL. It owns nothing, and sees only the rows of the user that a transaction names.
- Its service role, that no one signs in as, sees every row. The application takes it up for a transaction.

None but the owner changes a table, empties one, or removes audit rows. If MIGRATION_DATABASE_URL is not set, or names the same role,
one role does all: then nothing is done here, and row-level security is off. Done again it changes nothing. It runs after each
upgrade, so that new tables are covered. What the policies say is handed in; this module knows no table but that of audit rows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from lessonadmin.database.row_access import SERVICE_SUFFIX

Command = Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]
APPEND_ONLY = "audit_log"
FIRST_VERSION_WITH_INHERIT_OPTION = 160_000


class RolesNotReady(Exception):
    """What the owner may not do itself, and a superuser has to do before the upgrade; says it with the SQL."""


@dataclass(frozen=True)
class Policy:
    """Some rows of a table that a command may see or change. `condition` is SQL."""

    table: str
    name: str
    command: Command
    condition: str

    def sql(self, role: str) -> str:
        """For the rows that are there (USING) and those that come (WITH CHECK)."""
        using = "" if self.command == "INSERT" else f" USING ({self.condition})"
        check = f" WITH CHECK ({self.condition})" if self.command in ("ALL", "INSERT", "UPDATE") else ""
        return f"CREATE POLICY {self.name} ON {self.table} FOR {self.command} TO {role}{using}{check}"


def install(connection: Connection, *, application: str, policies: Sequence[Policy]) -> bool:
    """Rights, roles and policies, as the owner and within the caller's transaction; False if one role does all."""
    owner, quoted = connection.execute(
        text("SELECT current_user, quote_ident(:name)"), {"name": application}
    ).one()
    if owner == application:
        return False
    _refuse_powers(connection, application)
    service = _service_role(connection, application)
    _grant(connection, quoted, service)
    _protect(connection, owner, quoted, service, policies)
    return True


def _refuse_powers(connection: Connection, application: str) -> None:
    """Whom policies do not bind has no second wall."""
    powers = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :name")
    if connection.scalar(powers, {"name": application}) is not False:
        raise RolesNotReady(
            f"The role {application} of DATABASE_URL must be an ordinary one:"
            f" ALTER ROLE {application} NOSUPERUSER NOBYPASSRLS"
        )
    owned = text(
        "SELECT count(*) FROM pg_class WHERE relowner = to_regrole(quote_ident(:name)) AND relkind = 'r'"
    )
    if connection.scalar(owned, {"name": application}):
        raise RolesNotReady(
            f"The role {application} of DATABASE_URL owns tables, so nothing would bind it: give them to the role of"
            f" MIGRATION_DATABASE_URL with REASSIGN OWNED BY {application} TO that role, as a superuser"
        )


def _service_role(connection: Connection, application: str) -> str:
    """The name of the service role, made if it is missing; the application may take it up, and does not have its rights before."""
    member, inherits, exists = _membership(connection, application)
    name, quoted, version = connection.execute(
        text(
            "SELECT quote_ident(:name || :suffix), quote_ident(:name), current_setting('server_version_num')::int"
        ),
        {"name": application, "suffix": SERVICE_SUFFIX},
    ).one()
    statements = [] if exists else [f"CREATE ROLE {name} NOLOGIN"]
    if version < FIRST_VERSION_WITH_INHERIT_OPTION:
        statements += (
            [] if member and not inherits else [f"ALTER ROLE {quoted} NOINHERIT", f"GRANT {name} TO {quoted}"]
        )
    elif not member or inherits:
        statements.append(f"GRANT {name} TO {quoted} WITH INHERIT FALSE, SET TRUE")
    if statements and not _may_make_roles(connection):
        wanted = "; ".join(statements)
        raise RolesNotReady(
            f"The role of MIGRATION_DATABASE_URL may not make roles; have a superuser run: {wanted}"
        )
    for statement in statements:
        connection.exec_driver_sql(statement)
    return str(name)


def _membership(connection: Connection, application: str) -> tuple[bool, bool, bool]:
    """May the application take up the service role, does it have its rights without doing so, and is there one?"""
    found = connection.execute(
        text("""SELECT pg_has_role(:name, oid, 'MEMBER'), pg_has_role(:name, oid, 'USAGE') FROM pg_roles
          WHERE rolname = :name || :suffix"""),
        {"name": application, "suffix": SERVICE_SUFFIX},
    ).first()
    return (found[0], found[1], True) if found else (False, False, False)


def _may_make_roles(connection: Connection) -> bool:
    powers = text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    return bool(connection.scalar(powers))


def _grant(connection: Connection, application: str, service: str) -> None:
    """Rows of every table; of audit rows no more than reading and adding. Schemas, tables and triggers stay the owner's."""
    both = f"{application}, {service}"
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {both}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {both}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {both}",
        f"REVOKE UPDATE, DELETE ON {APPEND_ONLY} FROM {both}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {both}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {both}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {both}",
    ):
        connection.exec_driver_sql(statement)


def _protect(
    connection: Connection, owner: str, application: str, service: str, policies: Sequence[Policy]
) -> None:
    """Replace the policies of each table that has other ones, which waits for its readers and writers; mostly there is nothing to do."""
    quoted_owner = connection.scalar(text("SELECT quote_ident(:name)"), {"name": owner})
    for table in sorted({policy.table for policy in policies}):
        wanted = {policy.name: policy.sql(application) for policy in policies if policy.table == table}
        for name, role in (("service", service), ("owner", quoted_owner)):
            wanted[name] = Policy(table, name, "ALL", "true").sql(str(role))
        mark = "row-level security " + hashlib.sha256("\n".join(wanted.values()).encode()).hexdigest()[:16]
        if _mark(connection, table) == mark:
            continue
        for name in _names(connection, table):
            connection.exec_driver_sql(f'DROP POLICY "{name}" ON {table}')
        for statement in wanted.values():
            connection.exec_driver_sql(statement.replace("%", "%%"))
        # FORCE: the owner as well has the rows of its own policy and no others
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(f"COMMENT ON POLICY service ON {table} IS '{mark}'")


def _mark(connection: Connection, table: str) -> Any:
    """What stands at a table's policies: of which text they were made."""
    found = text("""SELECT obj_description(oid, 'pg_policy') FROM pg_policy
      WHERE polrelid = to_regclass(:table) AND polname = 'service'""")
    return connection.scalar(found, {"table": table})


def _names(connection: Connection, table: str) -> list[str]:
    found = text("SELECT polname FROM pg_policy WHERE polrelid = to_regclass(:table)")
    return list(connection.scalars(found, {"table": table}))
