"""`flask fix-lessons`: fix old lessons; prints a plan with --dry-run, and four lines at the end."""

import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask

from lessonadmin.db import CLI
from lessonadmin.domain import mux_budget
from lessonadmin.domain.maintenance import fix_old_lessons, old_videos
from lessonadmin.domain.maintenance.find_asset import Finder
from lessonadmin.text import spreadsheets
from lessonadmin.text.texts import visible


@click.command("fix-lessons")
@click.option("--dry-run", is_flag=True, help="Say what would be done and do nothing.")
@click.option("--batch-size", default=5, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--delay", default=1.0, show_default=True, type=click.FloatRange(0, 3600), help="Seconds between batches."
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV line a lesson.")
def fix_lessons(dry_run: bool, batch_size: int, delay: float, report: Path | None) -> None:
    """Heal drafts whose video is ready, and temporary asset and playback ids of lessons, courses and uploads.

    Finished drafts, which have a true playback id, are left alone: no instructor asked to publish them.
    """
    findings: list[fix_old_lessons.Finding] = []
    finder = Finder()
    untouched = old_videos.untouched()
    targets = old_videos.candidates()
    left = 0
    try:
        with _printing(dry_run) as record:
            while batch := list(itertools.islice(targets, batch_size)):
                for number, target in enumerate(batch):
                    left = len(batch) - number
                    found = fix_old_lessons.fix(target, finder, actor=CLI, dry_run=dry_run)
                    record(found)
                    if found is not None:
                        findings.append(found)
                if delay and len(batch) == batch_size:
                    time.sleep(delay)
    except KeyboardInterrupt:
        left = 0
        click.echo("stopped; the next run goes on from here", err=True)
    except mux_budget.Closed as error:
        left += sum(1 for _ in targets)
        click.echo(f"stopped: {error}. The next run goes on from here.", err=True)
    else:
        left = 0
    if report is not None:
        _write_report(report, findings)
    _summarise(findings, untouched, left)


@contextmanager
def _printing(dry_run: bool) -> Iterator[Callable[[fix_old_lessons.Finding | None], None]]:
    """A line a lesson; on a terminal a bar, and afterwards the lines of what needs a person."""
    if not sys.stdout.isatty():
        yield lambda found: _tell(found, dry_run)
        return
    remarkable: list[fix_old_lessons.Finding] = []
    try:
        with click.progressbar(length=old_videos.how_many(), label="looking at lessons") as bar:

            def step(found: fix_old_lessons.Finding | None) -> None:
                bar.update(1)
                if found is not None and (dry_run or found.result != "updated"):
                    remarkable.append(found)

            yield step
    finally:
        for found in remarkable:
            _tell(found, dry_run)


def _tell(found: fix_old_lessons.Finding | None, dry_run: bool) -> None:
    if found is None:
        return
    would = "would be " if dry_run else ""
    course = "course " if found.kind == "course" else ""
    text = f"{course}{found.owner_id} {would}{found.result}: {found.reason} {found.remark}"
    click.echo(visible(text.rstrip()))


def _summarise(findings: list[fix_old_lessons.Finding], untouched: dict[str, int], left: int) -> None:
    reasons = Counter(untouched)
    reasons.update(found.reason for found in findings if found.result == "skipped")
    for reason, count in sorted(reasons.items()):
        click.echo(f"skipped because {reason}: {count}")
    if left:
        click.echo(f"left for the next run: {mux_budget.CLOSED}: {left}")
    results = Counter(found.result for found in findings)
    skipped = results["skipped"] + sum(untouched.values())
    click.echo(f"processed: {len(findings) + sum(untouched.values())}")
    click.echo(f"updated: {results['updated']}")
    click.echo(f"skipped: {skipped}")
    click.echo(f"failed: {results['failed']}")
    if results["failed"] or left:
        raise SystemExit(1)


def _write_report(path: Path, findings: list[fix_old_lessons.Finding]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(spreadsheets.line(["kind", "id", "title", "result", "reason", "remark"]))
        for found in findings:
            cells = (found.kind, found.owner_id, found.title, found.result, found.reason, found.remark)
            file.write(spreadsheets.line(cells))


def init_app(app: Flask) -> None:
    app.cli.add_command(fix_lessons)
