"""`flask doctor`: is everything as it must be, and if not, what to do."""

import click
from flask import Flask

from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.text.texts import visible

COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red"}


@click.command("doctor")
@click.option(
    "--seconds", default=all_checks.TIMEOUT_SECONDS, show_default=True, help="How long to wait for answers."
)
def examine(seconds: float) -> None:
    """Look at everything this program needs; ends with 1 if something fails."""
    lines = all_checks.examine(seconds=seconds)
    for line in lines:
        level = click.style(f"{line.level:<4}", fg=COLOURS[line.level])
        click.echo(f"{level}  {line.name}: {visible(line.says)}")
        if line.todo:
            click.echo(f"      -> {visible(line.todo)}")
    counts = {level: sum(line.level == level for line in lines) for level in COLOURS}
    click.echo(", ".join(f"{count} {level}" for level, count in counts.items()))
    if not all_checks.healthy(lines):
        raise SystemExit(1)


def init_app(app: Flask) -> None:
    app.cli.add_command(examine)
