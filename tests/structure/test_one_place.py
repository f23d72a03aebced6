"""Rules that once had copies have one place: what would be a copy is found in the syntax tree of any other module."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from devstack.places import ROOT
from tests.cases import each_of

PRODUCT = ROOT / "lessonadmin"


@dataclass(frozen=True)
class Rule:
    """`found` tells whether a node of the syntax tree does by itself what only `places` may do."""

    name: str
    places: tuple[str, ...]
    found: Callable[[ast.AST], bool]
    planted: str

    def lines_in(self, source: str) -> list[int]:
        return [node.lineno for node in ast.walk(ast.parse(source)) if self.found(node)]  # type: ignore[attr-defined]  # only nodes that have a line are found


def calls(node: ast.AST, *names: str) -> bool:
    """Is this a call of one of these dotted names?"""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names


def holds(node: ast.AST, *words: str) -> bool:
    """Is this a text that contains one of these?"""
    return isinstance(node, ast.Constant) and any(word in str(node.value) for word in words)


def tries_an_id(node: ast.AST) -> bool:
    """Is this `try: uuid.UUID(...)` with an answer to a text that is none?"""
    if not isinstance(node, ast.Try):
        return False
    forgiven = any(
        handler.type is not None and "ValueError" in ast.unparse(handler.type) for handler in node.handlers
    )
    inside = (inner for statement in node.body for inner in ast.walk(statement))
    return forgiven and any(calls(inner, "uuid.UUID", "UUID") for inner in inside)


def of_nothing(node: ast.AST, name: str) -> bool:
    """Is a column (or attribute) of this name compared with nothing?"""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        empty = any(isinstance(one, ast.Constant) and one.value is None for one in operands)
        return empty and any(isinstance(one, ast.Attribute) and one.attr == name for one in operands)
    asked = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("is_", "is_not")
    )
    return asked and ast.unparse(node.func.value).endswith(f".{name}")


def texts(node: ast.Tuple) -> set[object]:
    """What a tuple of constants holds."""
    return {one.value if isinstance(one, ast.Constant) else None for one in node.elts}


def measures(node: ast.Tuple) -> bool:
    """Is this the name of a unit of time beside its seconds?"""
    named = [ast.unparse(one).strip("'") for one in node.elts]
    return len(named) == 2 and named[0] in ("day", "hour", "minute") and named[1][0].isdigit()


RULES = (
    Rule(
        "when a video is stuck",
        (
            "config.py",
            "domain/videos/conditions.py",
            "domain/maintenance/sweep.py",
        ),  # the sweep names the minutes in its notice
        lambda node: isinstance(node, ast.Attribute) and node.attr == "stuck_after_seconds",
        "row.created_at < now - timedelta(seconds=config.current().stuck_after_seconds)",
    ),
    Rule(
        "whether an upload is current",
        ("domain/models/videos.py",),
        lambda node: of_nothing(node, "superseded_at"),
        "rows = [row for row in rows if row.superseded_at is None]\nTracking.superseded_at.is_(None)",
    ),
    Rule(
        "which uploads are open",
        ("domain/models/lessons/lessons.py",),
        lambda node: isinstance(node, ast.Tuple) and texts(node) == {"uploading", "processing"},
        'Tracking.status.in_(("uploading", "processing"))',
    ),
    Rule(
        "what a lesson and a course differ in as owners of videos",
        ("domain/models/owners.py", "domain/models/videos.py"),
        lambda node: (
            isinstance(node, ast.IfExp)
            and ast.unparse(node.body) in ("Lesson", "Tracking.lesson_id")
            and ast.unparse(node.orelse) in ("Course", "Tracking.course_id")
        ),
        "column = Tracking.lesson_id if kind == 'lesson' else Tracking.course_id",
    ),
    Rule(
        "which ids are temporary, for Python and for queries",
        ("text/temporary_ids.py",),
        lambda node: (isinstance(node, ast.Constant) and node.value == "temp_") or holds(node, r"temp\_"),
        'PREFIX = "temp_"',
    ),
    Rule(
        "text becomes an id of ours or none",
        ("text/ids.py",),
        tries_an_id,
        "try:\n    found = uuid.UUID(text)\nexcept ValueError:\n    found = None",
    ),
    Rule(
        "what cannot be stored is refused at the door or cleaned",
        ("text/texts.py",),
        lambda node: holds(node, "\x00", r"\x00"),
        "bad = re.compile(r'[\\x00-\\x1f]')",
    ),
    Rule(
        "classes of SQLSTATE are read in one place",
        ("database/database_errors.py",),
        lambda node: isinstance(node, ast.Constant) and node.value in ("sqlstate", "08", "53", "57"),
        "away = getattr(error.orig, 'sqlstate', None)",
    ),
    Rule(
        "seconds become words in one place",
        ("text/durations.py",),
        lambda node: isinstance(node, ast.Tuple) and measures(node),
        "for name, size in (('day', 86_400), ('hour', 3_600)): pass",
    ),
    Rule(
        "a lock of PostgreSQL that keeps others out is taken in one place",
        ("db.py",),
        lambda node: isinstance(node, ast.Attribute) and node.attr == "pg_try_advisory_lock",
        "db.session.scalar(select(func.pg_try_advisory_lock(LOCK)))",
    ),
    Rule(
        "who was seen lately is read in one place",
        ("domain/heartbeats.py", "domain/batches/leases.py"),
        lambda node: (
            isinstance(node, ast.Attribute) and ast.unparse(node) in ("Heartbeat.at", "Heartbeat.name")
        ),
        "select(func.max(Heartbeat.at))",
    ),
    Rule(
        "rows are counted to a ceiling in one place",
        ("domain/querying/bounded_count.py",),
        lambda node: calls(node, "select(func.count()).select_from") and ".limit(" in ast.unparse(node),
        "select(func.count()).select_from(rows.limit(MOST + 1).subquery())",
    ),
    Rule(
        "which roles teach, and which are staff",
        # settings are read without the domain; these are the roles that single sign-on may give
        ("domain/models/accounts.py", "security/provider_settings.py"),
        lambda node: (
            isinstance(node, ast.Tuple | ast.Set | ast.List)
            and len({"instructor", "support", "admin"} & {getattr(one, "value", None) for one in node.elts})
            > 1
        ),
        "TEACHING = ('instructor', 'support', 'admin')",
    ),
    Rule(
        "how long to wait before the next try is one formula",
        ("domain/backoff.py",),
        lambda node: (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Pow)
            and "attempt" in ast.unparse(node.right)
        ),
        "wait = min(15 * 2 ** (lease.attempts - 1), 3600)",
    ),
    Rule(
        "Mux's words are read out of an error in one place",
        ("mux/fields.py",),
        lambda node: isinstance(node, ast.Constant) and node.value == "messages",
        "several = error.get('messages')",
    ),
    Rule(
        "which settings hold a token is said in one place",
        ("mux/responses.py",),
        lambda node: holds(node, "MUX_TOKEN_ID and MUX_TOKEN_SECRET"),
        "names = {'high': 'MUX_TOKEN_ID and MUX_TOKEN_SECRET'}",
    ),
    Rule(
        "a price has one reader",
        ("domain/prices.py",),
        lambda node: holds(node, "[.,]", "[,.]"),
        "PRICE = re.compile(r'[0-9]+([.,][0-9]{2})?')",
    ),
    Rule(
        "what is wrong is put into one text in one way",
        ("domain/errors.py",),
        lambda node: calls(node, "' '.join") and ".fields or" in ast.unparse(node),
        "flash(' '.join((problem.fields or {}).values()) or problem.message)",
    ),
    Rule(
        "where a request may ask to be led",
        ("web/redirects.py",),
        lambda node: (
            (isinstance(node, ast.ImportFrom) and node.module == "flask_admin.helpers")
            or calls(node, "get_redirect_target", "is_safe_url")
            or (
                isinstance(node, ast.Call)
                and ast.unparse(node) in ("request.values.get('url', '')", "request.values.get('next', '')")
            )
        ),
        "from flask_admin.helpers import get_redirect_target\nredirect(get_redirect_target() or '/')",
    ),
    Rule(
        "a CSV file is written through the guard against formulas",
        ("text/spreadsheets.py",),
        lambda node: calls(node, "csv.writer", "csv.DictWriter"),
        "import csv\ncsv.writer(file).writerow([title])",
    ),
)


def modules() -> Iterator[tuple[str, str]]:
    for file in sorted(PRODUCT.rglob("*.py")):
        yield file.relative_to(PRODUCT).as_posix(), file.read_text()


@each_of("rule", RULES)
def test_a_rule_has_one_place(rule: Rule) -> None:
    sources = dict(modules())
    assert set(rule.places) <= set(sources), "the place itself is gone"
    copies = {
        f"{path}:{line}"
        for path, source in sources.items()
        if path not in rule.places
        for line in rule.lines_in(source)
    }
    assert copies == set()


@each_of("rule", RULES)
def test_of_the_test_a_planted_copy_is_found(rule: Rule) -> None:
    assert rule.lines_in(rule.planted)
