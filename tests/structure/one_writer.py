"""Who writes the state of a video, of a publication and of the audit trail, read from the syntax tree of the product.

`writes` finds every place that could change one of the guarded columns: an assignment of any form, `setattr`, a
constructor, `update(...).values(...)`, raw SQL. A private function that hands its keywords on to such a call is one
itself. What cannot be read (a name that is only known at run time) counts as a write too. Nothing of what is read is
imported.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

VIDEO = frozenset(
    [
        "status",
        "upload_id",
        "mux_asset_id",
        "mux_playback_id",
        "playback_policy",
        "error_type",
        "error_message",
        "asset_seen_at",
        "ready_at",
        "ready_found_by",
        "attention_at",
        "superseded_at",
        "superseded_by",
        "video_processing_status",
        "video_duration",
        "video_error_type",
        "video_error_message",
        "needs_attention_at",
        "mux_preview_asset_id",
        "mux_preview_playback_id",
    ]
)
PUBLICATION = frozenset({"status", "published_at", "publish_on_ready"})
AUDIT = "audit_log"
UNREADABLE = "?"
GUARDED = VIDEO | PUBLICATION
MODELS = frozenset({"Tracking", "Lesson", "Course"})
TABLES = "lessons|courses|mux_asset_tracking"
# A new upload may be created with the ids that it came with; all else about it is said by events.
BIRTH = frozenset({"upload_id", "mux_asset_id"})

UPDATES = re.compile(
    rf"\bUPDATE\s+(?:ONLY\s+)?(?:{TABLES}|\{{\}})(?:\s+(?:AS\s+)?\w+)?\s+SET\b(.*)", re.I | re.S
)
UPSERTS = re.compile(rf"\bINSERT\s+INTO\s+(?:{TABLES})\b", re.I)
AUDITS = re.compile(r"\b(?:INSERT\s+INTO|UPDATE)\s+audit_log\b", re.I)


@dataclass(frozen=True)
class Write:
    """One place that may change a guarded column."""

    function: str
    column: str
    line: int


def writes(source: str) -> list[Write]:
    """Every write in one module, in the order of its lines."""
    tree = ast.parse(source)
    handing_on = _handing_on(tree)
    found = {
        Write(function.name if function else "", column, node.lineno)
        for node, function in _nodes(tree, None)
        for column in _columns(node, handing_on, _keywords_of(function))
    }
    return sorted(found, key=lambda one: (one.line, one.column))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _nodes(
    inside: ast.AST, function: Function | None
) -> Iterator[tuple[ast.expr | ast.stmt, Function | None]]:
    """Everything that has a line, with the innermost function around it."""
    for node in ast.iter_child_nodes(inside):
        around = node if isinstance(node, Function) else function
        if isinstance(node, ast.expr | ast.stmt):
            yield node, around
        yield from _nodes(node, around)


def _keywords_of(function: Function | None) -> str:
    """The name under which a private function takes any keyword; its callers are all in the same module."""
    if function is None or not function.name.startswith("_") or function.args.kwarg is None:
        return ""
    return function.args.kwarg.arg


def _handing_on(tree: ast.Module) -> frozenset[str]:
    """The private functions whose keywords end in a call that writes, directly or through another one of them."""
    found: frozenset[str] = frozenset()
    while True:
        more = found | {
            one.name
            for one in ast.walk(tree)
            if isinstance(one, Function) and (keywords := _keywords_of(one))
            for call in ast.walk(one)
            if isinstance(call, ast.Call)
            and any(given.arg is None and ast.unparse(given.value) == keywords for given in call.keywords)
            and UNREADABLE in _of_call(call, found, "")
        }
        if more == found:
            return found
        found = more


def _columns(node: ast.expr | ast.stmt, handing_on: frozenset[str], keywords: str) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        if node.attr in GUARDED:
            yield node.attr
    elif isinstance(node, ast.Call):
        yield from _of_call(node, handing_on, keywords)
    elif isinstance(node, ast.JoinedStr):
        yield from _of_sql("".join(_text(part) for part in node.values))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _of_sql(node.value)


def _text(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{}"


def _of_sql(text: str) -> Iterator[str]:
    if AUDITS.search(text):
        yield AUDIT
    if UPSERTS.search(text):
        yield UNREADABLE
    for setting in UPDATES.findall(text):
        yield from (name for name in sorted(GUARDED) if re.search(rf"\b{name}\s*=", setting))
        if re.search(r"\{\}\s*=", setting):
            yield UNREADABLE


def _of_call(call: ast.Call, handing_on: frozenset[str], keywords: str) -> Iterator[str]:
    name = _called(call)
    model = _model(call)
    if name == "setattr":
        constant = call.args[1] if len(call.args) > 1 else None
        column = constant.value if isinstance(constant, ast.Constant) else UNREADABLE
        if column in GUARDED or column == UNREADABLE:
            yield str(column)
    elif name in MODELS or name in handing_on:
        yield from _given(call, keywords)
    elif name == "new_row":
        yield from (one for one in _given(call, keywords) if one not in BIRTH)
    elif name == "AuditLog" or (name == "insert" and model == "AuditLog"):
        yield AUDIT
    elif name in ("values", "on_conflict_do_update") and (model is None or model in MODELS):
        yield from _given(call, keywords)
    elif name == "update" and isinstance(call.func, ast.Attribute):  # Query.update, or a dict of columns
        yield from (one for one in _given(call, keywords) if one != UNREADABLE)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _model(call: ast.Call) -> str | None:
    """The model that an `insert(...)` or `update(...)` in this chain is about; None if that is not to be read."""
    for node in ast.walk(call.func if _called(call) not in ("insert", "update") else call):
        if isinstance(node, ast.Call) and _called(node) in ("insert", "update") and node.args:
            name = ast.unparse(node.args[0]).removesuffix(".__table__").rsplit(".", 1)[-1]
            return name if name[:1].isupper() else None
    return None


def _given(call: ast.Call, keywords: str) -> Iterator[str]:
    """The columns that a call names: as keywords, or as the keys of a dict. `keywords`: what is handed on under this
    name is read where it is given."""
    pairs: list[tuple[ast.expr | str | None, ast.expr]] = [(one.arg, one.value) for one in call.keywords]
    for keyword, value in pairs:
        if keyword in GUARDED:
            yield str(keyword)
        elif keyword is None and not isinstance(value, ast.Dict):
            if not keywords or ast.unparse(value) != keywords:
                yield UNREADABLE
        elif keyword in (None, "set_", "values"):
            yield from _keys(value)
    for argument in call.args:
        yield from _keys(argument)


def _keys(node: ast.expr) -> Iterator[str]:
    for one in ast.walk(node):
        for key in one.keys if isinstance(one, ast.Dict) else ():
            if isinstance(key, ast.Attribute):
                name: object = key.attr
            else:
                name = key.value if isinstance(key, ast.Constant) else UNREADABLE
            if name in GUARDED or name == UNREADABLE:
                yield str(name)
