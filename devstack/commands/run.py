"""`bin/run`: the whole house in one terminal, until Ctrl-C."""

import fcntl
import hashlib
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import house as houses
from devstack import keepsakes, places, residents, wishes
from devstack.house import MUX_ADDRESSES, House
from devstack.leftovers import Register
from devstack.output import Output, ReaderGone
from devstack.supervisor import Stopped, Supervisor
from devstack.trouble import Trouble, told

RUN = places.INSTANCE / "run"
ACCOUNT = re.compile(r"^\S+@\S+ \S+ (student|instructor|support|admin)$", re.MULTILINE)
TIMEOUT_SECONDS = 30.0
MIN_MEGABYTES = 64


def main() -> int:
    started = time.monotonic()
    wanted = wishes.read()
    with _the_only_one() as register:
        output = Output(("postgres", "redis", "mux", *houses.PROCESSES))
        if left := register.stop_leftovers():
            output.say(f"Stopped what an earlier start had left running: {', '.join(left)}.")
        wishes.check_port(wanted.port)
        _check_room()
        house = houses.plan(wanted)
        try:
            _check_settings(house)
            _live(house, register, output, started)
        except (Stopped, ReaderGone):
            pass
        finally:
            house.close()
            (RUN / "address").unlink(missing_ok=True)
        output.say("Everything is stopped. The data stays in instance/.")
    return 0


@contextmanager
def _the_only_one() -> Iterator[Register]:
    """Two houses in one folder would share their data; the lock goes with the process, however it ends."""
    RUN.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (RUN / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            address = RUN / "address"
            where = f" at {address.read_text().strip()}" if address.exists() else ""
            raise Trouble(
                f"Lessonadmin already runs from this folder{where}. Use that, or stop it first."
            ) from None
        yield Register(RUN)


def _check_room() -> None:
    """A disk that is nearly full would make every part fail in its own words."""
    free = shutil.disk_usage(places.INSTANCE).free >> 20
    if free < MIN_MEGABYTES:
        raise Trouble(
            f"The disk is full: {free} MB are left for {places.INSTANCE}, and {MIN_MEGABYTES} are needed. "
            "Make room and start again; nothing needs to be repaired."
        )


def _check_settings(house: House) -> None:
    """Ask the product about its settings before anything is started."""
    from lessonadmin import config

    try:
        config.load(house.settings)
    except config.SettingsError as error:
        raise Trouble(str(error)) from None
    houses.check_own_servers(house.wishes)
    if house.wishes.own_database and not house.wishes.own_mux:
        found = residents.read(house.wishes.own_database)
        if not (
            found.demo and _remembered(house).exists()
        ):  # in a demo that was made here people may have joined
            residents.refuse_a_real_school(found)


def _live(house: House, register: Register, output: Output, started: float) -> None:
    if house.postgres:
        house.postgres.prepare()
    if house.valkey:
        house.valkey.prepare()
    with Supervisor(environment=house.settings, register=register, output=output) as supervisor:
        servers = house.servers()
        supervisor.start(*servers)
        supervisor.wait_ready(*(program.name for program in servers), seconds=TIMEOUT_SECONDS)
        if house.postgres:
            house.postgres.create_role()
            house.postgres.create_database(houses.DATABASE)
        _flask(supervisor, "release", "db", "upgrade")
        keepsakes.write_environment(places.INSTANCE / "env", _own_settings(house))
        supervisor.start(*house.processes())
        supervisor.wait_ready("web", seconds=TIMEOUT_SECONDS)
        _wait_until_ready(house, supervisor)
        accounts = _accounts(house, supervisor)
        (RUN / "address").write_text(house.address + "\n")
        _announce(house, output, accounts, time.monotonic() - started)
        supervisor.forever()


def _flask(supervisor: Supervisor, name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    code, said = supervisor.run_to_end(name, command, folder=str(places.ROOT))
    if code != 0:
        log = places.INSTANCE / f"{name}.log"
        log.write_text(said)
        raise Trouble(f"'flask {' '.join(arguments)}' failed: {_reason(said)} The whole output is in {log}.")
    return said


def _reason(said: str) -> str:
    """The line that says why; a product that cannot be imported has no commands either, which is not the reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Error: No such command", "Usage:", "Try '"))]
    return f"{(telling or ['it said nothing'])[-1].rstrip('.')}."


def _accounts(house: House, supervisor: Supervisor) -> list[str]:
    """The demo accounts of this database: made on the first run, remembered for the later ones.

    Made once web is there, since the demo's videos are announced to it like any others.
    """
    file = _remembered(house)
    if not file.exists():
        if _is_serious(house):
            return []
        said = _flask(supervisor, "demo", "seed-demo")
        keepsakes.write_private(file, "".join(f"{found[0]}\n" for found in ACCOUNT.finditer(said)))
    return file.read_text().splitlines()


def _remembered(house: House) -> Path:
    key = hashlib.sha256(house.settings["DATABASE_URL"].partition("?")[0].encode()).hexdigest()[:12]
    return places.INSTANCE / f"demo-accounts-{key}"


def _is_serious(house: House) -> bool:
    """Mux itself, or a school of other people with a Mux of its own: nothing is made there for show."""
    from lessonadmin import config

    if config.load(house.settings).mux_is_real:
        return True
    own = house.wishes.own_database
    return own is not None and residents.read(own).others > 0 and house.wishes.own_mux


def _wait_until_ready(house: House, supervisor: Supervisor) -> None:
    """Worker and clock take a moment longer than web; if they do not come, the page says so as well as we could."""
    deadline = time.monotonic() + TIMEOUT_SECONDS / 2
    while not house.is_ready() and time.monotonic() < deadline:
        supervisor.pause(0.3)


def _own_settings(house: House) -> dict[str, str]:
    from lessonadmin import config

    required = (name.upper() for name, field in config.Settings.model_fields.items() if field.is_required())
    names = {*required, *MUX_ADDRESSES, "MUX_WORKER_TOKEN_ID", "MUX_WORKER_TOKEN_SECRET"}
    return {name: house.settings[name] for name in sorted(names) if name in house.settings}


def _announce(house: House, output: Output, accounts: list[str], seconds: float) -> None:
    output.say()
    output.title(f"Lessonadmin is ready at {house.address} (started in {seconds:.1f} s)")
    if accounts:
        output.say("Sign in with one of these demo accounts (e-mail, password, role):")
        for account in accounts:
            output.say(account)
    else:
        output.say("There are no demo accounts here. One of your own: users create EMAIL --role ROLE")
    if house.simulator_port:
        output.say(f"Mux is simulated at {house.settings['MUX_API_URL']}")
    output.say("Commands by hand:  . instance/env && .venv/bin/flask --app app --help")
    output.say("Ctrl-C stops everything; the data stays in instance/.")
    output.say()


if __name__ == "__main__":
    sys.exit(told(main))
