"""`flask events replay`: apply stored webhook events again; safe to run any number of times."""

import uuid
from collections import Counter

import click
from flask import Flask
from flask.cli import AppGroup

from lessonadmin.db import CLI
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.webhooks import inbox

events = AppGroup("events", help="Webhook events.")


@events.command("replay")
@click.option("--failed", is_flag=True, help="Only events that could not be applied.")
@click.option("--id", "event_id", default=None, help="One event, by its id here or at Mux.")
def replay(failed: bool, event_id: str | None) -> None:
    """Apply stored events again: without an option those that failed and those whose owner was unknown."""
    if failed and event_id is not None:
        raise click.UsageError("Say either --failed or --id ID.")
    ids = _named(event_id) if event_id is not None else inbox.failed() if failed else inbox.unapplied()
    outcomes: Counter[str] = Counter()
    with click.progressbar(ids, label="replaying") as bar:
        for one in bar:
            try:
                outcomes[inbox.replay(one, actor=CLI)] += 1
            except Missing:
                outcomes["gone"] += 1  # pruned meanwhile
    for outcome, count in sorted(outcomes.items()):
        click.echo(f"{outcome}: {count}")
    click.echo(f"replayed: {len(ids)}")
    if outcomes["failed"]:
        raise SystemExit(1)


def _named(event_id: str) -> list[uuid.UUID]:
    found = inbox.find(event_id)
    if found is None:
        raise click.ClickException(f"There is no event {event_id}.")
    return [found]


def init_app(app: Flask) -> None:
    app.cli.add_command(events)
