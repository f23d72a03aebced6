"""`flask import-lessons FILE.csv`: lessons out of a file, checked as a whole, then taken in line by line."""

import codecs
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click
from flask import Flask

from lessonadmin.db import CLI_QUIETLY
from lessonadmin.domain.lessons import import_file, lesson_import
from lessonadmin.domain.lessons.import_file import Row, Wrong
from lessonadmin.domain.lessons.lesson_import import Outcome
from lessonadmin.text import spreadsheets
from lessonadmin.text.texts import visible

SHOWN = 50  # lines that are printed; the report has all of them
REPORT_COLUMNS = ("line", "title", "teacher", "asset_id", "result", "reason", "lesson")
File = click.Path(exists=True, dir_okay=False, path_type=Path)


def _known(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    try:
        return name and codecs.lookup(name).name
    except LookupError:
        raise click.BadParameter(f"there is no encoding {name}") from None


@click.command("import-lessons")
@click.argument("file", type=File)
@click.option("--dry-run", is_flag=True, help="Check everything, also at Mux, and make nothing.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV line a lesson.")
@click.option("--encoding", callback=_known, help="If the file is not UTF-8: cp1252, for instance.")
def import_lessons(file: Path, dry_run: bool, report: Path | None, encoding: str | None) -> None:
    """Make lessons out of a CSV file. docs/import.md has its columns."""
    if report is not None and report.resolve() == file.resolve():
        raise click.ClickException("The report would overwrite the file itself.")
    try:
        with _opened(report) as written:
            run = Run(written, dry_run)
            count = import_file.examine(file, run.wrong, encoding=encoding)
            if run.results["failed"]:
                run.results["skipped"] = count
                click.echo("Nothing was imported: correct these lines first.", err=True)
            else:
                run.take_in(file, encoding, count)
    except import_file.Unreadable as error:
        raise click.ClickException(visible(f"{file}: {error}")) from None
    except OSError as error:
        raise click.ClickException(f"The report cannot be written: {error.strerror}") from None
    run.summarise()


def _opened(report: Path | None) -> AbstractContextManager[TextIO | None]:
    return nullcontext() if report is None else report.open("w", newline="", encoding="utf-8")


@dataclass
class Run:
    """One run: the lines it printed, and how often each result came."""

    report: TextIO | None
    dry_run: bool
    results: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    _shown: int = 0
    _kept: list[str] = field(default_factory=list)
    _bar: bool = False

    def __post_init__(self) -> None:
        self._write(REPORT_COLUMNS)

    def wrong(self, found: Wrong) -> None:
        """A line that is no lesson."""
        self.results["failed"] += 1
        self._say(f"line {found.line}: {found.message}")
        self._write((found.line, found.title, "", "", "failed", found.message, ""))

    def take_in(self, file: Path, encoding: str | None, count: int) -> None:
        """Every line of a file in which nothing is wrong."""
        last = 1
        try:
            with self._progress(count) as step:
                for row in import_file.rows(file, encoding=encoding):
                    if isinstance(row, Row):
                        self._tell(lesson_import.take_in(row, actor=CLI_QUIETLY, dry_run=self.dry_run))
                        last = row.line
                    else:
                        self.wrong(row)  # it was another file a moment ago
                    step()
        except lesson_import.Stopped as error:
            self.stopped = True
            click.echo(
                f"stopped after line {last}: The call to Mux failed ({visible(str(error))}). "
                "Run the same command again: it goes on from there.",
                err=True,
            )
        except KeyboardInterrupt:
            self.stopped = True
            click.echo("stopped; the same command goes on from here", err=True)

    def summarise(self) -> None:
        """Four lines at the end; an error if anything failed."""
        if self._shown > SHOWN:
            click.echo(f"and {self._shown - SHOWN} lines more, which only --report has", err=True)
        click.echo(f"processed: {self.results.total()}")
        for result in ("updated", "skipped", "failed"):
            click.echo(f"{result}: {self.results[result]}")
        if self.results["failed"] or self.stopped:
            raise SystemExit(1)

    def _tell(self, outcome: Outcome) -> None:
        row = outcome.row
        self.results[outcome.result] += 1
        would = "would be " if self.dry_run else ""
        text = f"line {row.line}: {would}{outcome.result}: {outcome.reason} {outcome.lesson_id or ''}"
        text = visible(text.rstrip())
        if not self._bar:
            click.echo(text)
        elif outcome.result == "failed":
            self._say(text)
        self._write(
            (
                row.line,
                row.title,
                row.instructor,
                row.asset_id,
                outcome.result,
                outcome.reason,
                outcome.lesson_id,
            )
        )

    def _say(self, text: str) -> None:
        text = visible(text)
        self._shown += 1
        if self._shown > SHOWN:
            return
        if self._bar:
            self._kept.append(text)
        else:
            click.echo(text, err=True)

    def _write(self, values: tuple[object, ...]) -> None:
        if self.report is not None:
            self.report.write(spreadsheets.line(values))

    @contextmanager
    def _progress(self, count: int) -> Iterator[Callable[[], None]]:
        """On a terminal a bar, and after it the lines that failed; elsewhere nothing, since each line is printed."""
        if not sys.stdout.isatty():
            yield lambda: None
            return
        self._bar = True
        try:
            with click.progressbar(length=count, label="importing lessons") as bar:
                yield lambda: bar.update(1)
        finally:
            self._bar = False
            for text in self._kept:
                click.echo(text, err=True)


def init_app(app: Flask) -> None:
    app.cli.add_command(import_lessons)
