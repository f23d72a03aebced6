"""Retired phrases: texts that people read use the words of the glossary: `python -m devstack.checks.phrases`.

Reads what can reach a page, a mail, a terminal or the API's description: the texts of Python (never docstrings, never
SQL), of templates and of the page's scripts. `devstack.checks.vocabulary` reads names and comments. A phrase that must stay
where it is, because programs or stored rows know it, stands in KEPT with its reason.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from devstack import places

# The phrase as a regular expression, and what is said instead.
RETIRED = {
    r"by (it|them)sel(f|ves)": "automatically",
    r"publish(es)? itself": "publishes when ready, is published automatically",
    r"teachers?(?!@)": "instructor",
    r"(no|some|any|every)body": "no student, an instructor, all users",
    r"whoever": "users who",
    r"we|us|our|ours": "Lessonadmin, this server, the active voice",
    r"machine room": "System",
    r"differences to mux": "Mux sync check",
    r"walk(s|ed|ing)?": "sync check, check",
    r"mend(s|ed|ing)?": "fix",
    r"nudge(s|d)?": "start, enqueue",
    r"stumble[ds]?": "fail",
    r"for good": "permanently",
    r"go(es)? for good|is gone|are gone|that is gone": "deleted",
    r"(cannot|can) be taken back": "can't be undone",
    r"hand(s|ed)? over|handed (the|everything)": "transfer",
    r"(?-i:bearer tokens?|Bearer tokens)": "API token",
    r"(is|are) made|made (an?|the)": "created",
    r"(you|is|are|has been|have been) told": "notified, shown",
    r"takes? unusually long|takes too long": "is taking longer than usual",
    r"on (its|their) way": "uploading or processing",
    r"overtaken": "superseded",
    r"given up": "cancelled",
    r"present (video|password|one|state)": "current",
    r"it stands in|still stands": "is in, is kept",
    r"namely": "(leave it out)",
    r"do it": "Confirm",
    r"what became of": "result",
    r"what went wrong": "Error",
    r"look again": "Refresh",
    r"as it should be": "OK",
    r"nothing fits|what fits": "No results, results for",
    r"no such thing": "not found",
    r"write it down|written down": "add, save",
    r"one after the other|all the same": "(plainer words)",
    r"recheck(s|ed)?": "check with Mux",
    r"republish(es|ed)?": "re-sync and publish",
    r"clear asset|clear the asset": "remove video",
    r"publish manually": "Check with Mux now",
    r"ask(s|ed)? mux": "check with Mux",
}
# File and phrase: why it stays.
KEPT: dict[tuple[str, str], str] = {
    (
        "lessonadmin/domain/lessons/import_file.py",
        "teacher",
    ): "the name of a column of files that are imported",
    ("templates/admin/figures.html", "by itself"): "a key of stored figures",
}
PHRASE = re.compile(r"(?<![\w/-])(" + "|".join(RETIRED) + r")(?![\w/-])", re.IGNORECASE)
NAMES = re.compile(r"\b(US|MUX_\w+)\b")
SQL = re.compile(r"\b(SELECT|UPDATE|INSERT INTO|DELETE FROM|CREATE|ALTER|COMMENT ON)\b")
QUOTED = re.compile(r"(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)")
COMMENT = {
    ".html": re.compile(r"\{#.*?#\}", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", re.DOTALL),
}
# Classes, addresses and attributes of a template that no person reads.
MARKUP = re.compile(
    r"(class|href|id|action|data-[a-z-]+|aria-[a-z]+by|name|for|src)=\"[^\"]*\"|url_for\([^)]*\)"
)
JINJA = re.compile(r"\{[{%].*?[%}]\}")
FOLDERS = ("lessonadmin", "muxsim")


def of_text(text: str) -> Iterator[str]:
    """The retired phrases of one text."""
    for found in PHRASE.finditer(text):
        if not NAMES.fullmatch(found.group(0)):
            yield found.group(0)


def _docstrings(tree: ast.AST) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    return {id(body[0].value) for body in bodies if isinstance(body[0], ast.Expr)}


def in_python(source: str) -> Iterator[tuple[int, str]]:
    """A text has a space: a single word is a key, a column or a class."""
    tree = ast.parse(source)
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        if " " in node.value.strip() and not SQL.search(node.value):
            yield from ((node.lineno, phrase) for phrase in of_text(node.value))


def _texts_of(code: re.Match[str]) -> str:
    """Of Jinja code, what stands in quotes and has a space."""
    return " ".join(text for text in QUOTED.findall(code.group(0)) if " " in text)


def in_markup(source: str, suffix: str) -> Iterator[tuple[int, str]]:
    """Templates without comments and attributes; of scripts only what stands in quotes."""
    said = COMMENT[suffix].sub(lambda one: "\n" * one.group(0).count("\n"), source)
    for number, line in enumerate(said.splitlines(), start=1):
        if suffix == ".html":
            yield from ((number, phrase) for phrase in of_text(JINJA.sub(_texts_of, MARKUP.sub(" ", line))))
        else:
            texts = [text for text in QUOTED.findall(line) if " " in text]
            yield from ((number, phrase) for text in texts for phrase in of_text(text))


def files(root: Path) -> Iterator[Path]:
    for folder in (*FOLDERS, "templates"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in {".py", *COMMENT} and "vendor" not in file.parts:
                yield file


def complaints(root: Path) -> Iterator[str]:
    """One line a phrase, with what is said instead."""
    for file in files(root):
        source, name = file.read_text(), str(file.relative_to(root))
        found = in_python(source) if file.suffix == ".py" else in_markup(source, file.suffix)
        for line, phrase in sorted(found):
            if (name, phrase.lower()) not in KEPT:
                yield f"{name}:{line}: “{phrase}”: {instead(phrase)}"


def instead(phrase: str) -> str:
    """What is said instead of it."""
    return next(said for retired, said in RETIRED.items() if re.fullmatch(retired, phrase, re.IGNORECASE))


def main() -> int:
    """Print them; 1 if there are any."""
    found = list(complaints(places.ROOT))
    for line in found:
        print(line)
    print(f"{len(found)} retired phrases")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
