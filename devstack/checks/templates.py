"""Compiles every template, so that a slip is found before its page is opened: `python -m devstack.checks.templates`.

The product's are compiled by its own application, which knows its filters; no server is needed for that. The
simulator's use nothing but Jinja itself.
"""

import os
import sys

from jinja2 import Environment, FileSystemLoader, TemplateError

from devstack import places


def product() -> Environment:
    """The product's environment, with settings that lead nowhere."""
    sys.path.insert(0, str(places.ROOT))
    from lessonadmin import config, create_app
    from tests.settings import environment

    nowhere = environment(
        database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0"
    )
    return create_app(config.load(nowhere)).jinja_env


def simulator() -> Environment:
    return Environment(loader=FileSystemLoader(places.ROOT / "muxsim" / "templates"), autoescape=True)


def main() -> int:
    wrong = count = 0
    for environment in (product(), simulator()):
        for name in environment.list_templates(extensions=["html", "txt", "xml", "svg"]):
            count += 1
            try:
                environment.get_template(name)
            except TemplateError as error:
                wrong += 1
                print(f"{name}:{getattr(error, 'lineno', '?')}: {error}")
    print(f"{count} templates, {wrong} of them wrong")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    os.environ.setdefault("LOG_STYLE", "readable")
    sys.exit(main())
