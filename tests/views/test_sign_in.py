"""Signing in and out over HTTP: the form, the cookie, the limit, and where one lands."""

import threading
from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import users as accounts_users
from lessonadmin.domain.models import User
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of


def try_to_sign_in(browser: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post(
        "/login",
        data={"email": email, "password": password, "csrf_token": csrf_of(browser), **more},
    )


def change(user: User, how: str) -> None:
    with transaction(CLI):
        found = db.session.get_one(User, user.id)
        if how == "disabled":
            accounts_users.set_active(found, False)
        elif how == "role":
            accounts_users.set_role(found, "student")
        else:
            accounts_users.reset_password(found)


@pytest.mark.parametrize(
    ("role", "first_page"),
    [
        ("student", "/catalog"),
        ("instructor", "/lessons"),
        ("support", "/admin/"),
        ("admin", "/admin/"),
    ],
)
def test_each_role_lands_on_the_page_that_it_works_on(
    client: FlaskClient, role: str, first_page: str
) -> None:
    user = make_user(role=role)
    answer = try_to_sign_in(client, user.email)
    assert (answer.status_code, answer.location) == (302, "/")
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, first_page)
    page_of(client.get(first_page))


def test_a_page_that_needs_a_user_comes_back_after_signing_in(client: FlaskClient) -> None:
    user = make_user()
    answer = client.get("/account?from=mail&x=%C3%A9")
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")
    form = page_of(client.get(answer.location))
    target = form.all("input", name="next")[0]["value"]
    answer = try_to_sign_in(client, user.email, next=target or "")
    assert answer.location == "/account?from=mail&x=%C3%A9"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http:evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/x\r\nSet-Cookie: a=b",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "//[",
        "/" + "x" * 3000,
        "",
    ],
)
def test_an_address_elsewhere_is_never_followed(client: FlaskClient, target: str) -> None:
    user = make_user()
    answer = try_to_sign_in(client, user.email, next=target)
    assert (answer.status_code, answer.location) == (302, "/")
    assert client.get("/login", query_string={"next": target}).location == "/"


@pytest.mark.parametrize(
    "target", ["/account", "/lessons?q=a%2Fb&page=2", "/lessons?next=https://evil.example"]
)
def test_an_address_of_ours_is_followed(client: FlaskClient, target: str) -> None:
    user = make_user()
    assert try_to_sign_in(client, user.email, next=target).location == target


def test_unknown_wrong_and_disabled_get_the_same_page(client: FlaskClient) -> None:
    present, disabled = make_user(), make_user(active=False)
    answers = [
        try_to_sign_in(client, email, password)
        for email, password in (
            (present.email, "wrong password"),
            (disabled.email, PASSWORD),
            ("nobody@school.example", PASSWORD),
        )
    ]
    assert {answer.status_code for answer in answers} == {400}
    pages = [page_of(answer) for answer in answers]
    assert len({page.text("main") for page in pages}) == 1
    assert pages[0].text("title").startswith("Error: ")
    assert "not right" in pages[0].text("main")
    assert pages[0].one("input", name="email")["value"] == present.email
    assert not pages[0].one("input", name="password")["value"]


@pytest.mark.parametrize(
    ("email", "password", "wrong"),
    [("", "", {"email", "password"}), ("a@b", "", {"password"}), ("  ", "x", {"email"})],
)
def test_what_is_left_empty_is_named(client: FlaskClient, email: str, password: str, wrong: set[str]) -> None:
    answer = try_to_sign_in(client, email, password)
    page = page_of(answer)
    assert answer.status_code == 400
    assert {a["name"] for a in page.all("input") if a.get("aria-invalid")} == wrong
    assert {a["href"] for a in page.all("a") if "field-" in (a["href"] or "")} == {
        f"#field-{w}" for w in wrong
    }


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("x" * 100_000, PASSWORD),
        ("a@b", "x" * 100_000),
        ("<script>alert(1)</script>@b", "x"),
        ("' OR 1=1 --", "x"),
        ("\ud83d\ude00@b".encode("utf-16", "surrogatepass").decode("utf-16"), "x"),
        ("a\x1fb@c", "x"),
    ],
)
def test_strange_input_is_simply_wrong(client: FlaskClient, email: str, password: str) -> None:
    answer = try_to_sign_in(client, email, password)
    assert answer.status_code == 400
    assert b"<script>alert" not in answer.data
    page_of(answer)


@pytest.mark.parametrize("field", ["email", "password", "next"])
def test_a_nul_is_refused_in_words(client: FlaskClient, field: str) -> None:
    token = csrf_of(client)
    data = {"email": "a@b", "password": "x", "csrf_token": token, field: "a\x00b"}
    answer = client.post("/login", data=data)
    assert answer.status_code == 400
    assert "cannot be stored" in page_of(answer).text("main")
    assert client.get("/login?next=%00").status_code == 400


def test_a_body_without_end_is_refused(client: FlaskClient) -> None:
    data = {"email": "a@b", "password": "x" * 3_000_000, "csrf_token": csrf_of(client)}
    answer = client.post("/login", data=data)
    assert answer.status_code == 413
    page_of(answer)


def test_the_eleventh_wrong_try_is_told_to_wait(client: FlaskClient) -> None:
    user = make_user()
    for _ in range(10):
        assert try_to_sign_in(client, user.email, "wrong password").status_code == 400
    answer = try_to_sign_in(client, user.email)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"
    assert "five minutes" in page_of(answer).text("main")


def test_thirty_wrong_tries_at_once_get_no_further_than_ten(app: Flask) -> None:
    user = make_user()
    browsers = [app.test_client() for _ in range(30)]
    tokens = [csrf_of(browser) for browser in browsers]
    counted: Counter[int] = Counter()
    lock = threading.Lock()

    def run(browser: FlaskClient, token: str) -> None:
        data = {"email": user.email, "password": "wrong password", "csrf_token": token}
        status = browser.post("/login", data=data).status_code
        with lock:
            counted[status] += 1

    for start in range(0, 30, 10):
        threads = [
            threading.Thread(target=run, args=pair)
            for pair in list(zip(browsers, tokens, strict=True))[start : start + 10]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counted == {400: 10, 429: 20}


def test_a_class_of_fifteen_signs_in_at_once_from_one_address(app: Flask) -> None:
    users = [make_user(role="student") for _ in range(15)]
    browsers = [app.test_client() for _ in users]
    tokens = [csrf_of(browser) for browser in browsers]
    landed: list[int] = []

    def run(browser: FlaskClient, user: User, token: str) -> None:
        data = {"email": user.email, "password": PASSWORD, "csrf_token": token}
        landed.append(browser.post("/login", data=data).status_code)

    threads = [threading.Thread(target=run, args=args) for args in zip(browsers, users, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert landed == [302] * 15


def test_a_sign_in_gives_a_new_session_and_ends_the_former(client: FlaskClient, app: Flask) -> None:
    user = make_user()
    before = csrf_of(client)
    try_to_sign_in(client, user.email)
    with client.session_transaction() as cookie:
        first = cookie["secret"]
    stolen = app.test_client()
    with stolen.session_transaction() as cookie:
        cookie["secret"] = first
    assert stolen.get("/account").status_code == 200
    client.post(
        "/login",
        data={"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(client, "/account")},
    )
    with client.session_transaction() as cookie:
        assert cookie["secret"] != first
    assert csrf_of(client, "/account") != before
    assert stolen.get("/account").status_code == 302


def test_signing_out_ends_the_session_at_the_server(client: FlaskClient, app: Flask) -> None:
    user = make_user()
    try_to_sign_in(client, user.email)
    copy = app.test_client()
    with client.session_transaction() as cookie, copy.session_transaction() as copied:
        copied.update(cookie)
    assert copy.get("/account").status_code == 200
    page_of(client.get("/logout"))
    assert copy.get("/account").status_code == 200, "the page alone signs nobody out"
    answer = client.post("/logout", data={"csrf_token": csrf_of(client, "/account")})
    assert answer.location == "/login"
    assert "You are signed out." in page_of(client.get("/login")).text()
    assert client.get("/account").status_code == 302
    assert copy.get("/account").status_code == 302


def test_signing_out_without_a_token_does_nothing(client: FlaskClient) -> None:
    user = make_user()
    try_to_sign_in(client, user.email)
    assert client.post("/logout").status_code == 400
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("how", ["disabled", "role", "password"])
def test_a_change_to_the_account_ends_its_sessions_at_their_next_request(app: Flask, how: str) -> None:
    user = make_user(role="support")
    browsers = [signed_in(user), signed_in(user)]
    assert [browser.get("/account").status_code for browser in browsers] == [200, 200]
    with app.app_context():
        change(user, how)
        db.session.remove()
    assert [browser.get("/account").status_code for browser in browsers] == [302, 302]


def test_a_forged_cookie_opens_nothing(app: Flask) -> None:
    browser = app.test_client()
    browser.set_cookie("session", "eyJzZWNyZXQiOiJ4In0.aaaa.bbbb")
    assert browser.get("/account").status_code == 302
    with browser.session_transaction() as cookie:
        cookie["secret"] = ["not", "text"]
    assert browser.get("/account").status_code == 302
