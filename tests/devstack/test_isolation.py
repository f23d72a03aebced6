"""What one test can do to another, and to the network: nothing."""

import socket
import urllib.request

import pytest
from flask import Flask, g, has_request_context
from flask.testing import FlaskClient
from pytest_socket import SocketConnectBlockedError


def test_the_network_cannot_be_reached() -> None:
    with socket.socket() as out, pytest.raises((SocketConnectBlockedError, UserWarning)):
        out.connect(("192.0.2.1", 80))


def test_names_of_the_network_are_not_looked_up_for_a_connection() -> None:
    with pytest.raises((SocketConnectBlockedError, UserWarning, OSError)):
        urllib.request.urlopen("http://mux.com.invalid/", timeout=2)


def test_there_is_no_context_unless_a_test_asks_for_it(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="outside of application context"):
        g.get("anything")


def test_nothing_of_a_request_is_left_for_the_test_to_see(client: FlaskClient) -> None:
    """pytest-flask's client is entered, and would keep the context of its last request open."""
    assert client.get("/login").status_code == 200
    assert not has_request_context()
    with pytest.raises(RuntimeError, match="outside of application context"):
        g.get("anything")


def test_the_client_is_the_plugins_own(request: pytest.FixtureRequest) -> None:
    """A module that overrides a fixture of pytest-flask again uses it in name only."""
    for name in ("client", "accept_json"):
        request.getfixturevalue(name)
        (definition,) = request._fixturemanager.getfixturedefs(name, request.node) or ()
        assert definition.func.__module__ == "pytest_flask.fixtures"


def test_a_request_sees_nothing_of_the_tests_own_context(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        g.identity = "somebody"
        assert client.get("/account").status_code == 302
        assert g.identity == "somebody"


def test_a_warning_is_an_error() -> None:
    import warnings

    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_a_run_counts_in_a_folder_of_its_own() -> None:
    """And not in the one that every run without a database shares, whose counters go on from what they were."""
    from lessonadmin import metrics

    assert metrics._FOLDER.name.startswith("lessonadmin-test-metrics-")
