"""The support panel: Flask-Admin as a surface of lists and buttons over the domain, never an editor of state."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Nothing is mounted yet."""
