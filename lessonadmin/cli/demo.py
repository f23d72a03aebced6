"""`flask seed-demo`: make a small demo school; prints an account a line, `EMAIL PASSWORD ROLE`."""

import click
from flask import Flask
from flask.cli import with_appcontext

from lessonadmin.demo import seeding


@click.command("seed-demo")
@with_appcontext
def seed_demo() -> None:
    """Make demo accounts and lessons; run again, it gives the accounts new passwords."""
    try:
        accounts = seeding.seed()
    except seeding.NotHere as refusal:
        raise click.ClickException(f"No demo data is created here: {refusal}.") from None
    for email, password, role in accounts:
        click.echo(f"{email} {password} {role}")


def init_app(app: Flask) -> None:
    app.cli.add_command(seed_demo)
