"""The flask commands, one module a subject: read the words, call the domain, print. No rule lives here."""

from flask import Flask

from lessonadmin.cli import demo, doctor, events, fix_lessons, import_lessons, mux_probe, people, reconcile


def init_app(app: Flask) -> None:
    for module in (people, events, demo, doctor, fix_lessons, import_lessons, reconcile, mux_probe):
        module.init_app(app)
