"""The table of all routes and who may enter: `python -m tests.structure.roles > tests/structure/roles.txt` writes it anew.

Read the difference before you commit it: each new line opens an address, and says for whom.
"""

import sys
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from lessonadmin import auth
from lessonadmin.views.api import endpoints

TABLE = Path(__file__).with_name("roles.txt")
UNGUARDED = "NOBODY HAS OPENED IT"
SAYS = {
    auth.EVERYONE: auth.SIGNED_IN.says,
    auth.TEACHING.roles: auth.TEACHING.says,
    auth.STAFF.roles: auth.STAFF.says,
    frozenset({"student"}): "students",
}


def guard_of(rule: Rule) -> auth.Guard | None:
    blueprint, dot, _ = rule.endpoint.rpartition(".")
    return auth.guard_for(rule.endpoint, blueprint if dot else None)


def call_of(rule: Rule) -> endpoints.Endpoint | None:
    """The call of the JSON API behind a route: inside its blueprint's guard, it has one of its own."""
    blueprint, _, name = rule.endpoint.rpartition(".")
    if blueprint != endpoints.bp.name:
        return None
    return next(
        (one for one in endpoints.ENDPOINTS if name in {one.name_of(way) for way in (one.path, *one.also)}),
        None,
    )


def let_in(call: endpoints.Endpoint) -> frozenset[str]:
    """The roles that may make it."""
    return endpoints.ROLES_AND_REFUSALS[call.who][0]


def says(rule: Rule) -> str:
    call, guard = call_of(rule), guard_of(rule)
    if call is not None:
        return SAYS[let_in(call)]
    return guard.says if guard else UNGUARDED


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def table(app: Flask) -> list[str]:
    """One line a method and address: `GET /lessons: instructors and staff`."""
    lines = []
    for rule in app.url_map.iter_rules():
        lines += [f"{method} {rule.rule}: {says(rule)}" for method in methods_of(rule)]
    return sorted(lines, key=lambda line: (line.split(" ", 1)[1], line))


if __name__ == "__main__":
    from lessonadmin import config, create_app
    from tests.settings import environment

    nowhere = environment(database_url="postgresql://u@127.0.0.1:1/db", redis_url="redis://127.0.0.1:1/0")
    sys.stdout.write("\n".join(table(create_app(config.load(nowhere)))) + "\n")
