"""`flask events replay`: stored webhook events applied again; safe to run any number of times."""

import uuid
from collections import Counter

import click
from flask import Flask
from flask.cli import AppGroup

from lessonadmin.db import CLI
from lessonadmin.domain import inbox
from lessonadmin.domain.errors import Problem

events = AppGroup("events", help="Webhook events.")


@events.command("replay")
@click.option("--failed", is_flag=True, help="Every event that could not be applied.")
@click.option("--id", "event_id", type=click.UUID, default=None, help="One event, by our id.")
def replay(failed: bool, event_id: uuid.UUID | None) -> None:
    """Apply stored events again."""
    if failed == (event_id is not None):
        raise click.UsageError("Say either --failed or --id ID.")
    ids = [event_id] if event_id is not None else inbox.failed()
    outcomes: Counter[str] = Counter()
    with click.progressbar(ids, label="replaying") as bar:
        for one in bar:
            try:
                outcome = inbox.replay(one, actor=CLI)
            except Problem as problem:
                raise click.ClickException(f"There is no event {one}.") from problem
            outcomes[outcome] += 1
    for outcome, count in sorted(outcomes.items()):
        click.echo(f"{outcome}: {count}")
    click.echo(f"replayed: {len(ids)}")
    if outcomes["failed"]:
        raise SystemExit(1)


def init_app(app: Flask) -> None:
    app.cli.add_command(events)
