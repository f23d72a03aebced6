"""The settings of Flask and of the database connections that follow from the product's."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from lessonadmin.web import settings
from tests.settings import overridden


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [("https://school.example", "__Host-session", True), ("http://localhost", "session", False)],
)
def test_the_session_cookie_is_for_https_where_there_is_https(
    app: Flask, public_url: str, name: str, secure: bool
) -> None:
    made = Flask("made")
    with overridden(public_url=public_url):
        settings.init_app(made)
    assert made.config["SESSION_COOKIE_NAME"] == name
    assert made.config["SESSION_COOKIE_SECURE"] is secure
    assert made.config["PREFERRED_URL_SCHEME"] == ("https" if secure else "http")


def test_a_session_ends_after_twelve_hours_and_scripts_cannot_read_it(app: Flask) -> None:
    assert app.config["PERMANENT_SESSION_LIFETIME"] == timedelta(hours=12)
    assert app.config["SESSION_REFRESH_EACH_REQUEST"] is False
    assert app.config["SESSION_COOKIE_HTTPONLY"] is True


@pytest.mark.parametrize(
    ("name", "value"), [("statement_timeout", "30s"), ("lock_timeout", "8s"), ("timezone", "UTC")]
)
def test_each_database_connection_has_its_limits(session: Session, name: str, value: str) -> None:
    assert session.scalar(text("SELECT current_setting(:name)"), {"name": name}) == value


def test_an_error_of_the_database_holds_no_value(app: Flask) -> None:
    assert app.config["SQLALCHEMY_ENGINE_OPTIONS"]["hide_parameters"] is True
