"""What workers and the clock do. Each job loads by id and calls the domain; it decides nothing and is safe to run twice
at once. `worker` and `clock` are the two processes, `schedule` is the one periodic table."""

from flask import Flask

from lessonadmin.jobs import clock, worker


def init_app(app: Flask) -> None:
    app.cli.add_command(worker.command)
    app.cli.add_command(clock.command)
    app.cli.add_command(clock.sweep_command)
