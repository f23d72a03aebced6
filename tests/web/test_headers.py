"""Security headers, on every kind of answer."""

from pathlib import Path

import flask_admin
import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.web import headers
from tests.factories import make_lesson, make_user, signed_in
from tests.pages import Page
from tests.settings import overridden

STATIC_OF_FLASK_ADMIN = Path(flask_admin.__file__).parent / "static"


def policy_of(answer: object) -> dict[str, str]:
    text = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    return dict(rule.partition(" ")[::2] for rule in text.split("; "))


def test_who_asks_for_json_gets_it_from_the_api_and_pages_from_the_rest(
    client: FlaskClient, accept_json: list[tuple[str, str]]
) -> None:
    """The address decides, not the header: a program that reads a page by mistake is told so by its type."""
    refused = client.get("/api/lessons", headers=accept_json)
    assert refused == 401
    assert refused.json["error"]["type"] == "not_signed_in"
    assert client.get("/api/nowhere", headers=accept_json).is_json
    page = client.get("/login", headers=accept_json)
    assert page == 200
    assert page.mimetype == "text/html"


@pytest.mark.parametrize(
    "path", ["/login", "/nowhere", "/healthz", "/lessons", "/api/nowhere", "/static/css/base.css"]
)
def test_every_answer_has_them(client: FlaskClient, path: str) -> None:
    answer = client.get(path, buffered=True)
    policy = policy_of(answer)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in answer.headers, "only behind https"


def test_scripts_carry_the_nonce_of_their_answer(client: FlaskClient) -> None:
    first, second = client.get("/login"), client.get("/login")
    nonces = []
    for answer in (first, second):
        scripts = Page(answer.text).all("script")
        assert scripts
        nonces += [script["nonce"] for script in scripts]
        assert all(f"'nonce-{script['nonce']}'" in policy_of(answer)["script-src"] for script in scripts)
    assert len(set(nonces)) == 2


@pytest.mark.parametrize("path", ["/lessons", "/account", "/catalog", "/notifications", "/admin/"])
def test_pages_of_people_are_kept_nowhere(app: Flask, path: str) -> None:
    answer = signed_in(make_user(role="admin")).get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert policy_of(answer)["style-src"] == "'self'", "no page needs more, the panel neither"


ELSEWHERE = ("mux.com", "googleapis.com", "http:", "https:")


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/account",
        "/notifications",
        "/admin/",
        "/admin/user/",
        "/admin/audit/",
        "/healthz",
        "/nowhere",
    ],
)
def test_pages_without_videos_reach_no_address_but_ours(app: Flask, path: str) -> None:
    staff = signed_in(make_user(role="admin"))
    answer = app.test_client().get(path) if path == "/login" else staff.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src " in policy
    assert not [one for one in ELSEWHERE if one in policy]


@pytest.mark.parametrize(
    "path", ["/lessons", "/courses", "/catalog", "/catalog/courses", "/admin/lesson/", "/admin/course/"]
)
def test_lists_reach_the_pictures_of_videos_and_nothing_else_of_mux(app: Flask, path: str) -> None:
    answer = signed_in(make_user(role="admin")).get(path)
    assert answer.status_code == 200
    policy = policy_of(answer)
    assert policy.pop("img-src") == "'self' data: http://127.0.0.1:1", "also before there is a picture"
    assert "connect-src" in policy
    assert not [one for one in ELSEWHERE if one in str(policy)]


@pytest.mark.parametrize("path", ["/lessons/new", "/courses/new", "/lessons/{}/edit"])
def test_pages_with_the_uploader_reach_mux(app: Flask, path: str) -> None:
    instructor = make_user()
    policy = policy_of(signed_in(instructor).get(path.format(make_lesson(creator=instructor).id)))
    origins = {"http://127.0.0.1:1", "https://*.mux.com", "https://storage.googleapis.com"}
    missing = [origins - set(policy[rule].split()) for rule in ("connect-src", "img-src", "media-src")]
    assert missing == [set(), set(), set()]


def test_a_page_that_sends_files_reaches_mux_and_keeps_what_is_strict(app: Flask) -> None:
    answer = signed_in(make_user()).get("/lessons/upload")
    policy = policy_of(answer)
    assert (
        policy["connect-src"] == "'self' http://127.0.0.1:1 https://*.mux.com https://storage.googleapis.com"
    )
    assert policy["style-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"


def test_a_policy_names_origins_without_what_stands_behind_them(app: Flask) -> None:
    with app.test_request_context("/"), overridden(mux_image_url="https://u:p@pictures.example/a/b"):
        headers.shows_pictures()
        assert "img-src 'self' data: https://pictures.example;" in headers.policy()


def test_the_scripts_of_flask_admin_are_not_there(app: Flask) -> None:
    staff = signed_in(make_user(role="admin"))
    for name in ("admin/js/actions.js", "vendor/jquery.min.js", "bootstrap/bootstrap4/js/bootstrap.min.js"):
        assert (STATIC_OF_FLASK_ADMIN / name).is_file(), "the control"
        assert staff.get(f"/admin/static/{name}").status_code == 404


def test_pages_with_widgets_open_only_what_those_need(app: Flask) -> None:
    with app.test_request_context("/lessons/new"):
        headers.needs_widgets()
        policy = dict(rule.partition(" ")[::2] for rule in headers.policy().split("; "))
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert "blob:" in policy["worker-src"]
    assert "unsafe" not in policy["script-src"]
    assert "https://*.mux.com" in policy["connect-src"]
    assert "https://storage.googleapis.com" in policy["connect-src"]
