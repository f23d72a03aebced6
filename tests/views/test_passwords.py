"""Passwords over HTTP: none outlives its change, also when a user signs in with it at that moment."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.domain.accounts import sign_in
from lessonadmin.domain.models import User
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of

NEW = "a new and longer password"


class Gate:
    """Holds each sign-in between the check of its password and the opening of its session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, people: int) -> None:
        self._seen, self._open = threading.Semaphore(0), threading.Event()
        self._people = people
        prove = sign_in.prove

        def held(*, email: str, password: str) -> sign_in.Proof | None:
            proof = prove(email=email, password=password)
            self._seen.release()
            assert self._open.wait(60)
            return proof

        monkeypatch.setattr(sign_in, "prove", held)

    def wait(self) -> None:
        for _ in range(self._people):
            assert self._seen.acquire(timeout=60)

    def open(self) -> None:
        self._open.set()


def still_in(app: Flask, gate: Gate, user: User, browsers: int, change: Callable[[], object]) -> list[bool]:
    """Who is signed in after the account was changed between the look at their password and their session."""
    outside = [app.test_client() for _ in range(browsers)]
    tokens = [csrf_of(browser) for browser in outside]

    def run(browser: FlaskClient, token: str) -> None:
        browser.post("/login", data={"email": user.email, "password": PASSWORD, "csrf_token": token})

    threads = [threading.Thread(target=run, args=pair) for pair in zip(outside, tokens, strict=True)]
    for thread in threads:
        thread.start()
    gate.wait()
    change()
    gate.open()
    for thread in threads:
        thread.join()
    return [browser.get("/account").status_code == 200 for browser in outside]


def reset_of(user: User) -> Callable[[], object]:
    admin = signed_in(make_user(role="admin"))
    form = {"id": str(user.id), "csrf_token": csrf_of(admin, "/account")}
    return lambda: admin.post("/admin/user/password", data=form)


@pytest.mark.parametrize("round_", [1, 2, 3])
def test_who_signs_in_while_the_password_is_reset_is_not_in(
    app: Flask, monkeypatch: pytest.MonkeyPatch, round_: int
) -> None:
    user, people = make_user(), 6 if round_ == 1 else 2
    change = reset_of(user)
    assert still_in(app, Gate(monkeypatch, people), user, people, change) == [False] * people


def test_of_the_test_without_the_second_look_they_are_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "hold", lambda proof: None)
    user = make_user()
    change = reset_of(user)
    assert still_in(app, Gate(monkeypatch, 2), user, 2, change) == [True, True]


def test_who_signs_in_while_its_owner_changes_it_is_not_in(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    owner = signed_in(user)
    form = {"old_password": PASSWORD, "new_password": NEW, "repeat_password": NEW}
    form["csrf_token"] = csrf_of(owner, "/account")

    def change() -> None:
        assert owner.post("/account/password", data=form).status_code == 302

    assert still_in(app, Gate(monkeypatch, 1), user, 1, change) == [False]
    assert owner.get("/account").status_code == 200


def test_who_signs_in_while_the_account_is_disabled_is_not_in_when_it_is_enabled(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    admin = signed_in(make_user(role="admin"))
    token = csrf_of(admin, "/account")

    def change(active: str) -> None:
        admin.post("/admin/user/active", data={"id": str(user.id), "active": active, "csrf_token": token})

    assert still_in(app, Gate(monkeypatch, 1), user, 1, lambda: change("0")) == [False]
    change("1")
    monkeypatch.undo()
    assert app.test_client().get("/account").status_code == 302
