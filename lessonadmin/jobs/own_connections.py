"""Worker and clock need connections of their own: they keep locks and temporary tables on them."""

import click

from lessonadmin.database import connections


def required() -> None:
    """Refuse to start where a pooler in transaction mode would hand them to others."""
    if connections.through_pooler():
        raise click.ClickException(
            "Worker, clock and sweep keep locks and temporary tables on their connections to PostgreSQL."
            " Give them a DATABASE_URL that does not lead through a pooler, and no DATABASE_POOLER."
        )
