"""Tables from the models' metadata: diagrams in Mermaid's words, and plain tables of columns and rules."""

from collections.abc import Iterator, Sequence

from sqlalchemy import CheckConstraint, Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from devstack.data_model.writers import only_writer

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
# Besides keys, what tells one row from another at a glance.
TELLING = frozenset({"email", "title", "status", "type", "action", "kind", "role", "outcome", "name"})
SHORT = {"TIMESTAMP WITH TIME ZONE": "timestamptz", "DOUBLE PRECISION": "float"}


def type_of(column: Column[object]) -> str:
    said = column.type.compile(DIALECT)
    return SHORT.get(said, said).lower()


def diagram(tables: Sequence[Table]) -> Iterator[str]:
    """Keys and telling columns of these tables, and every relation that begins in one of them."""
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        yield f"  {table.name} {{"
        for column in table.columns:
            keys = ["PK"] * column.primary_key + ["FK"] * bool(column.foreign_keys)
            if keys or column.name in TELLING:
                yield f"    {type_of(column)} {column.name} {', '.join(keys)}".rstrip()
        yield "  }"
    for table in tables:
        for column in table.columns:
            for key in column.foreign_keys:
                one = "|o" if column.nullable else "||"
                yield f"  {key.column.table.name} {one}--o{{ {table.name} : {column.name}"
    yield "```"


def columns(table: Table) -> Iterator[str]:
    yield "| column | type | empty | default | refers to | only written by |"
    yield "|---|---|---|---|---|---|"
    for column in table.columns:
        writer = only_writer(table.name, column.name)
        cells = (
            f"`{column.name}`",
            type_of(column),
            "yes" if column.nullable else "",
            _default(column),
            ", ".join(_reference(column)),
            f"`{writer.removeprefix('lessonadmin/domain/')}`" if writer else "",
        )
        yield "| " + " | ".join(cells) + " |"


def _default(column: Column[object]) -> str:
    if column.computed is not None:
        return "computed"
    given = column.server_default
    said = "" if given is None else str(getattr(given, "arg", ""))
    return f"`{said}`" if said else "`''`" if given is not None else ""


def _reference(column: Column[object]) -> Iterator[str]:
    for key in column.foreign_keys:
        yield f"`{key.column.table.name}`, {(key.ondelete or 'no action').lower()}"


def rules(table: Table) -> Iterator[str]:
    """What the database refuses: checks, and what must be unique."""
    for check in sorted(_checks(table), key=str):
        yield f"- `{check}`"
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        if index.unique:
            said = str(CreateIndex(index).compile(dialect=DIALECT))
            yield f"- unique: `{said.split(' ON ', 1)[1].strip()}`"
    for column in table.columns:
        if column.unique:
            yield f"- unique: `{table.name} ({column.name})`"


def _checks(table: Table) -> Iterator[str]:
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            yield str(constraint.sqltext)
