"""`bin/run`: the whole stack in one terminal, until Ctrl-C."""

import hashlib
import re
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from devstack import database_content, kept_files, only_one, options, places
from devstack import stack as stacks
from devstack.errors import SetupError, told
from devstack.processes.leftovers import Register
from devstack.processes.output import Output, ReaderGone
from devstack.processes.supervisor import Stopped, Supervisor
from devstack.stack import MUX_ADDRESSES, Stack

ACCOUNT = re.compile(r"^\S+@\S+ \S+ (student|instructor|support|admin)$", re.MULTILINE)
TIMEOUT_SECONDS = 30.0
MIN_MEGABYTES = 64


def main() -> int:
    started = time.monotonic()
    everything = options.wants_everything_shown(sys.argv[1:])
    wanted = options.read()
    names = ("postgres", "redis", "mux", *stacks.PROCESSES)
    file = places.INSTANCE / "log" / "run.log"
    with only_one.only_one(), closing(Output(names, file=file, everything=everything)) as output:
        register = Register(only_one.RUN)
        if left := register.stop_leftovers():
            output.say(f"Stopped what an earlier start had left running: {', '.join(left)}.")
        options.check_port(wanted.port)
        _check_free_space()
        stack = stacks.plan(wanted)
        try:
            _check_settings(stack)
            _live(stack, register, output, started)
        except (Stopped, ReaderGone):
            pass
        finally:
            stack.close()
            (only_one.RUN / "address").unlink(missing_ok=True)
        output.say("Everything is stopped. The data stays in instance/.")
        output.close()
    return 0


def _check_free_space() -> None:
    """A disk that is nearly full would make every part fail in its own words."""
    free = shutil.disk_usage(places.INSTANCE).free >> 20
    if free < MIN_MEGABYTES:
        raise SetupError(
            f"The disk is full: {free} MB are left for {places.INSTANCE}, and {MIN_MEGABYTES} are needed. "
            "Make room and start again; nothing needs to be repaired."
        )


def _check_settings(stack: Stack) -> None:
    """Ask the product about its settings before anything is started."""
    from lessonadmin import config

    try:
        config.load(stack.settings)
    except config.SettingsError as error:
        raise SetupError(str(error)) from None
    stacks.check_own_servers(stack.options)
    if stack.options.own_database and not stack.options.own_mux:
        found = database_content.read(stack.options.own_database)
        if not (
            found.demo and _remembered(stack).exists()
        ):  # in a demo that was made here people may have joined
            database_content.refuse_a_real_school(found)


def _live(stack: Stack, register: Register, output: Output, started: float) -> None:
    output.say("Starting Lessonadmin: it takes about ten seconds.")
    if stack.postgres:
        stack.postgres.prepare()
    if stack.valkey:
        stack.valkey.prepare()
    with Supervisor(environment=stack.settings, register=register, output=output) as supervisor:
        servers = stack.servers()
        supervisor.start(*servers)
        supervisor.wait_ready(*(program.name for program in servers), seconds=TIMEOUT_SECONDS)
        if stack.postgres:
            stack.postgres.create_roles()
            stack.postgres.create_database(stacks.DATABASE)
        _flask(supervisor, "release", "db", "upgrade", settings=stack.release_settings)
        kept_files.write_environment(places.INSTANCE / "env", _own_settings(stack))
        supervisor.start(*stack.processes())
        supervisor.wait_ready("web", seconds=TIMEOUT_SECONDS)
        _wait_until_ready(stack, supervisor)
        accounts = _accounts(stack, supervisor)
        (only_one.RUN / "address").write_text(stack.address + "\n")
        _announce(stack, output, accounts, time.monotonic() - started)
        supervisor.on_enter(output.repeat_box)
        supervisor.forever()


def _flask(
    supervisor: Supervisor, name: str, *arguments: str, settings: Mapping[str, str] | None = None
) -> str:
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    code, said = supervisor.run_to_end(name, command, folder=str(places.ROOT), settings=settings or {})
    if code != 0:
        log = places.INSTANCE / f"{name}.log"
        log.write_text(said)
        raise SetupError(
            f"'flask {' '.join(arguments)}' failed: {_reason(said)} The whole output is in {log}."
        )
    return said


def _reason(said: str) -> str:
    """The line that says why; a product that cannot be imported has no commands either, which is not the reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Error: No such command", "Usage:", "Try '"))]
    return f"{(telling or ['it said nothing'])[-1].rstrip('.')}."


def _accounts(stack: Stack, supervisor: Supervisor) -> list[str]:
    """The demo accounts of this database: made on the first run, remembered for the later ones.

    Made once web is there, since the demo's videos are announced to it like any others.
    """
    file = _remembered(stack)
    if not file.exists():
        if _is_serious(stack):
            return []
        said = _flask(supervisor, "demo", "seed-demo")
        kept_files.write_private(file, "".join(f"{found[0]}\n" for found in ACCOUNT.finditer(said)))
    return file.read_text().splitlines()


def _remembered(stack: Stack) -> Path:
    key = hashlib.sha256(stack.settings["DATABASE_URL"].partition("?")[0].encode()).hexdigest()[:12]
    return places.INSTANCE / f"demo-accounts-{key}"


def _is_serious(stack: Stack) -> bool:
    """Mux itself, or a school of other people with a Mux of its own: nothing is made there for show."""
    from lessonadmin import config

    if config.load(stack.settings).mux_is_real:
        return True
    own = stack.options.own_database
    return own is not None and database_content.read(own).others > 0 and stack.options.own_mux


def _wait_until_ready(stack: Stack, supervisor: Supervisor) -> None:
    """Worker and clock take a moment longer than web; if they do not come, the page says so as well as this line could."""
    deadline = time.monotonic() + TIMEOUT_SECONDS / 2
    while not stack.is_ready() and time.monotonic() < deadline:
        supervisor.pause(0.3)


def _own_settings(stack: Stack) -> dict[str, str]:
    from lessonadmin import config

    required = (name.upper() for name, field in config.Settings.model_fields.items() if field.is_required())
    names = {*required, *MUX_ADDRESSES, "MUX_WORKER_TOKEN_ID", "MUX_WORKER_TOKEN_SECRET"}
    return {
        name: stack.settings[name] for name in sorted(names) if name in stack.settings
    } | stack.release_settings


def _announce(stack: Stack, output: Output, accounts: list[str], seconds: float) -> None:
    file = output.file.relative_to(places.ROOT) if output.file.is_relative_to(places.ROOT) else output.file
    lines = [""]
    if accounts:
        lines += ["Sign in with one of these demo accounts (e-mail, password, role):", *_in_columns(accounts)]
    else:
        lines.append("There are no demo accounts here. Create one: users create EMAIL --role ROLE")
    lines.append("")
    if stack.simulator_port:
        lines.append(f"Break things at    {stack.settings['MUX_API_URL']}/_sim (Mux is simulated)")
    lines += [
        "Commands by hand   . instance/env && .venv/bin/flask --app app --help",
        f"Everything said    {file} (here: warnings and errors; --verbose shows all)",
        "Ctrl-C stops everything; the data stays in instance/. Enter shows this again.",
    ]
    output.box(f"Lessonadmin is ready at {stack.address} (started in {seconds:.1f} s)", *lines)


def _in_columns(accounts: list[str]) -> list[str]:
    """For people at a terminal; programs that read along find the words with one space between them."""
    if not sys.stdout.isatty():
        return accounts
    rows = [account.split() for account in accounts]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


if __name__ == "__main__":
    sys.exit(told(main))
