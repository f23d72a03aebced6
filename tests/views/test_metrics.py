"""/metrics: who may read it, and that addresses are not among its labels."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import bearer, make_user, signed_in
from tests.settings import overridden


def test_metrics_want_a_right(client: FlaskClient, app: Flask) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert signed_in(make_user(role="instructor")).get("/metrics").status_code == 401
    assert signed_in(make_user(role="support")).get("/metrics").status_code == 200
    assert client.get("/metrics", headers=bearer(make_user(role="admin"))).status_code == 200


@pytest.mark.parametrize("given", ["right-token", "wrong", "", "right-toke", "\xe9"])
def test_metrics_by_their_own_token(client: FlaskClient, given: str) -> None:
    with overridden(metrics_token="right-token"):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {given}"})
    assert answer.status_code == (200 if given == "right-token" else 401)


def test_without_a_token_set_none_is_right(client: FlaskClient) -> None:
    for given in ("", "None"):
        assert client.get("/metrics", headers={"Authorization": f"Bearer {given}"}).status_code == 401


def test_metrics_count_requests_by_route_and_not_by_address(client: FlaskClient) -> None:
    client.get("/nowhere-zanzibar")
    page = client.get("/metrics", headers=bearer(make_user(role="admin"))).text
    assert 'lessonadmin_http_request_seconds_count{method="GET",route="none",status="404"}' in page
    assert "zanzibar" not in page
