"""The flask commands, one module a subject: read the words, call the domain, print. No rule lives here."""

from flask import Flask

from lessonadmin.cli import demo, doctor, events, fix_lessons, people, reconcile


def init_app(app: Flask) -> None:
    for room in (people, events, demo, doctor, fix_lessons, reconcile):
        room.init_app(app)
