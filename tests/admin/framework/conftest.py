"""An application whose panel has the views of `example_views.py`, and support signed in to it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin import config, create_app
from lessonadmin.db import db
from tests.admin.example_views import add_to, in_panel


@pytest.fixture(scope="module")
def panel(settings_environment: dict[str, str], app: Flask) -> Iterator[Flask]:
    before = config.current()
    application = create_app(config.load(settings_environment))
    application.testing = True
    add_to(application)
    yield application
    with application.app_context():
        db.engine.dispose()
    config.use(before)


@pytest.fixture
def staff(panel: Flask) -> FlaskClient:
    """Support, signed in to the panel with the test's views."""
    return in_panel(panel, "support")
