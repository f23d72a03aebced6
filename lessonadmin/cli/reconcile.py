"""`flask reconcile`: compare everything at Mux with the database; prints a line a difference, `KIND ID OWNER REMARK`."""

import sys
import time

import click
from flask import Flask

from lessonadmin.db import CLI
from lessonadmin.domain import mux_budget
from lessonadmin.domain.reconciliation import mux_inventory, reconcile
from lessonadmin.domain.reconciliation.differences import Found
from lessonadmin.text.texts import visible

TIMEOUT_SECONDS = 600.0  # for a reconciliation under way to end


@click.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Only list what does not match.")
@click.option("--delete-orphans", is_flag=True, help="Delete assets of this school that nothing uses.")
def reconcile_command(dry_run: bool, delete_orphans: bool) -> None:
    """Find and fix what does not agree between Lessonadmin and Mux."""
    try:
        report = _run_when_free(fix=not dry_run, delete_orphans=delete_orphans and not dry_run)
    except mux_inventory.InventoryFailed as error:
        raise click.ClickException(
            f"Mux could not be read completely, so nothing was changed: {visible(str(error))}"
        ) from error
    click.echo(f"pages: {report.pages}  assets: {report.assets}  uploads: {report.uploads}")
    click.echo(f"assets of others, never touched: {report.foreign}")
    click.echo(f"orphans younger than a day, left alone: {report.young_orphans}")
    click.echo(f"found: {sum(report.found.values())}")
    click.echo(f"mended: {sum(report.fixed.values())}")
    click.echo(f"failed: {sum(report.failed.values())}")
    if report.left:
        click.echo(f"left for the next run: {mux_budget.CLOSED}: {report.left}")
    if report.implausible:
        click.echo(
            "So many assets are missing that the token may belong to another Mux environment: none was cleared. "
            "Check the token with 'flask doctor'.",
            err=True,
        )
    if report.failed or report.implausible or report.left:
        raise SystemExit(1)


def _run_when_free(*, fix: bool, delete_orphans: bool) -> reconcile.Report:
    until, waiting = time.monotonic() + TIMEOUT_SECONDS, False
    while True:
        try:
            return reconcile.run(
                actor=CLI,
                started_by="command line",
                fix=fix,
                delete_orphans=delete_orphans,
                tell=_print,
                progress=_progress,
            )
        except reconcile.AlreadyRunning:
            if time.monotonic() > until:
                raise click.ClickException("Another sync check is still running. Try again later.") from None
            if not waiting:
                click.echo("Another sync check is running; waiting for it to end.", err=True)
            waiting = True
            time.sleep(1)


def _print(found: Found) -> None:
    owner = f"{found.target_type}:{found.target_id}" if found.target_type else "-"
    click.echo(visible(f"{found.kind} {found.mux_id} {owner} {found.remark}"))


def _progress(pages: int, things: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{pages} pages, {things} assets and uploads", nl=False, err=True)


def init_app(app: Flask) -> None:
    app.cli.add_command(reconcile_command)
