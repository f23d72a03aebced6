"""The table of all routes and who may enter: `python -m tests.structure.roles > tests/structure/roles.txt` writes it anew.

Read the difference before you commit it: each new line is a door, and says for whom it opens.
"""

import sys
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from lessonadmin import auth

TABLE = Path(__file__).with_name("roles.txt")
UNGUARDED = "NOBODY HAS OPENED IT"


def guard_of(rule: Rule) -> auth.Guard | None:
    blueprint, dot, _ = rule.endpoint.rpartition(".")
    return auth.guard_for(rule.endpoint, blueprint if dot else None)


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def table(app: Flask) -> list[str]:
    """One line a method and address: `GET /lessons: instructors and staff`."""
    lines = []
    for rule in app.url_map.iter_rules():
        guard = guard_of(rule)
        lines += [
            f"{method} {rule.rule}: {guard.says if guard else UNGUARDED}" for method in methods_of(rule)
        ]
    return sorted(lines, key=lambda line: (line.split(" ", 1)[1], line))


if __name__ == "__main__":
    from lessonadmin import config, create_app
    from tests.settings import environment

    nowhere = environment(database_url="postgresql://u@127.0.0.1:1/db", redis_url="redis://127.0.0.1:1/0")
    sys.stdout.write("\n".join(table(create_app(config.load(nowhere)))) + "\n")
