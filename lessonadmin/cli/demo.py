"""`flask seed-demo`: a small school to look at; prints an account a line, `EMAIL PASSWORD ROLE`."""

import click
from flask import Flask

from lessonadmin.demo import seeding


@click.command("seed-demo")
def seed_demo() -> None:
    """Make demo accounts and lessons; run again, it gives the accounts new passwords."""
    for email, password, role in seeding.seed():
        click.echo(f"{email} {password} {role}")


def init_app(app: Flask) -> None:
    app.cli.add_command(seed_demo)
