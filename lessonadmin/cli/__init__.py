"""The flask commands, one module a subject: read the words, call the domain, print. No rule lives here."""

from flask import Flask

from lessonadmin.cli import events, people


def init_app(app: Flask) -> None:
    for room in (people, events):
        room.init_app(app)
