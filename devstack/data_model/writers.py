"""Which modules write which table, read from the syntax trees of the product.

A module writes a table if it makes a row of the model, or names it in `insert`, `update` or `delete`, or does so in SQL
as text. Columns of a row that was loaded are assigned where a rule is; for those that only one module may write, see
`ONLY_WRITERS`, which `tests/structure/test_one_writer.py` holds.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

SQL = re.compile(r"\b(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM)\s+(\w+)", re.IGNORECASE)
STATEMENTS = ("insert", "update", "delete")
VIDEO = "lessonadmin/domain/videos/transitions.py"
PUBLICATION = "lessonadmin/domain/videos/publication.py"
AUDIT = "lessonadmin/domain/audit/audit_log.py"
_VIDEO_OF_AN_OWNER = (
    "mux_asset_id mux_playback_id mux_preview_asset_id mux_preview_playback_id playback_policy "
    "video_processing_status video_duration video_error_type video_error_message needs_attention_at"
)
_UPLOAD = (
    "status upload_id mux_asset_id mux_playback_id playback_policy error_type error_message asset_seen_at "
    "ready_at ready_found_by attention_at superseded_at superseded_by"
)
# table -> module -> the columns that no other module may write; "*" is the whole table
ONLY_WRITERS: Mapping[str, Mapping[str, str]] = {
    "lessons": {VIDEO: _VIDEO_OF_AN_OWNER, PUBLICATION: "status published_at publish_on_ready"},
    "courses": {VIDEO: _VIDEO_OF_AN_OWNER},
    "mux_asset_tracking": {VIDEO: _UPLOAD},
    "audit_log": {AUDIT: "*"},
}


def only_writer(table: str, column: str) -> str:
    """The one module that may write the column; empty if there is no such rule."""
    for module, columns in ONLY_WRITERS.get(table, {}).items():
        if columns == "*" or column in columns.split():
            return module
    return ""


def find(root: Path, models: Mapping[str, str]) -> dict[str, set[str]]:
    """Table -> the modules that write it. `models`: the table of each model."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "lessonadmin").rglob("*.py")):
        name = file.relative_to(root).as_posix()
        if name.startswith("lessonadmin/domain/models/"):
            continue
        for table in written(file.read_text(), models):
            found[table].add(name)
    return found


def written(source: str, models: Mapping[str, str]) -> set[str]:
    """The tables that one module writes."""
    return {table for node in ast.walk(ast.parse(source)) for table in _of_node(node, models)}


def _of_node(node: ast.AST, models: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = _last_name(node.func)
        if name in models:
            yield models[name]
        elif name in STATEMENTS and node.args and _last_name(node.args[0]) in models:
            yield models[_last_name(node.args[0])]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (table for table in SQL.findall(node.value) if table in models.values())


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).removesuffix(".__table__").rsplit(".", 1)[-1]
