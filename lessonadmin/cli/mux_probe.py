"""`flask mux-probe`: asks a real Mux what its documents leave open, and writes the answers into a file without secrets."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import click
from flask import Flask

from lessonadmin import config, mux
from lessonadmin.mux.probe.record import Record
from lessonadmin.mux.probe.requests import PRIORITY
from lessonadmin.mux.probe.script import Probe, ProbeOptions
from lessonadmin.text.texts import visible


@click.command("mux-probe")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("mux-probe.json"),
    show_default=True,
    help="Where the answers go.",
)
@click.option("--with-asset", is_flag=True, help="Also send a whole file; the test asset of it is deleted.")
@click.option("--asset", "asset_id", help="An asset of yours whose public playback id is tried with a token.")
@click.option("--expired", is_flag=True, help="Also wait 70 s for an upload's end.")
@click.option("--rate-limit", is_flag=True, help="Also read until Mux says that it is too much.")
@click.option("--seconds", type=click.FloatRange(10, 600), default=180, show_default=True, help="At most.")
@click.option("--allow-simulator", is_flag=True, help="Ask although MUX_API_URL is not Mux's own.")
def mux_probe(
    out: Path,
    with_asset: bool,
    asset_id: str | None,
    expired: bool,
    rate_limit: bool,
    seconds: float,
    allow_simulator: bool,
) -> None:
    """Record what Mux answers where its documents say nothing; needs real tokens and leaves nothing at Mux."""
    if not config.current().mux_is_real and not allow_simulator:
        raise click.ClickException(
            "MUX_API_URL is not Mux's own, and what a simulator answers is known. With --allow-simulator it is asked."
        )
    _must_open()
    film = resources.files("lessonadmin.demo").joinpath("sample.mp4").read_bytes() if with_asset else None
    probe = Probe(
        ProbeOptions(film=film, rate_limit=rate_limit, expired=expired, asset_id=asset_id, seconds=seconds),
        Record(lambda line: click.echo(visible(line))),
    )
    _write(out, probe)  # a file that cannot be written is known before anything is made
    try:
        with _stoppable():
            probe.run()
    except KeyboardInterrupt:
        click.echo("stopped; what was created is removed", err=True)
    finally:
        _write(out, probe)
        _summarise(out, probe)
    if probe.made.left or probe.stopped is not None:
        raise SystemExit(1)


def _must_open() -> None:
    try:
        mux.ping(priority=PRIORITY, limit=1)
    except mux.MuxError as error:
        raise click.ClickException(f"Nothing was asked: {visible(error.message)}") from error


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does, so that nothing stays at Mux."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(out: Path, probe: Probe) -> None:
    try:
        out.write_text(json.dumps(probe.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error


def _summarise(out: Path, probe: Probe) -> None:
    click.echo(f"answers: {len(probe.record.findings)}")
    click.echo(f"requests: {probe.requests}")
    click.echo(f"uploads made: {len(probe.made.uploads)}")
    click.echo(f"left behind: {len(probe.made.left)}")
    for one in probe.made.left:
        click.echo(visible(f"still at Mux: {one}"), err=True)
    if probe.stopped is not None:
        click.echo(visible(f"not finished: {probe.stopped}"), err=True)
    click.echo(f"written: {out}")


def init_app(app: Flask) -> None:
    app.cli.add_command(mux_probe)
