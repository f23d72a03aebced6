"""`flask users ...`: what is printed, what is refused, and with which exit code."""

import json
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.accounts import passwords, tokens, users
from lessonadmin.domain.models import ProviderIdentity
from tests.factories import PASSWORD, bearer, give_app, keep, make_user, signed_in
from tests.settings import overridden


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_create_prints_the_account_and_its_id(runner: FlaskCliRunner, app: Flask) -> None:
    result = runner.invoke(
        args=[
            "users",
            "create",
            "ada@school.example",
            "--role",
            "support",
            "--name",
            "Ada",
            "--password",
            PASSWORD,
        ]
    )
    assert result.exit_code == 0, result.output
    with app.app_context():
        user = users.find_by_email("ada@school.example")
        assert user is not None
        assert result.output == f"created ada@school.example (support) {user.id}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["taken@school.example", "--role", "student"], "already"),
        (["TAKEN@school.example", "--role", "student"], "already"),
        (["nothing", "--role", "student"], "Enter an e-mail address"),
        (["ada@school.example", "--role", "owner"], "owner"),
        (["ada@school.example"], "--role"),
        (["ada@school.example", "--role", "student", "--password", "short"], "10 to 200"),
        (["ada@school.example", "--role", "student", "--password", ""], "10 to 200"),
        (["ada@school.example", "--role", "student", "--name", "x" * 101], "at most 100"),
    ],
)
def test_create_refuses_in_one_clear_line(runner: FlaskCliRunner, words: list[str], said: str) -> None:
    make_user(email="taken@school.example")
    result = runner.invoke(args=["users", "create", *words])
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_token_prints_the_token_alone_on_standard_output(runner: FlaskCliRunner, app: Flask) -> None:
    user = make_user()
    result = runner.invoke(args=["users", "token", user.email.upper()])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    with app.app_context():
        found = tokens.whose(result.stdout.strip())
        assert found is not None
        assert found[0].id == user.id


def test_every_command_about_an_account_needs_one(runner: FlaskCliRunner) -> None:
    commands = ("token", "disable", "enable", "revoke-tokens", "role")
    results = {
        command: runner.invoke(
            args=["users", command, "nobody@school.example", *(["student"] if command == "role" else [])]
        )
        for command in commands
    }
    said = {
        command: (one.exit_code, "no account for nobody@school.example" in one.stderr, one.stdout)
        for command, one in results.items()
    }
    assert said == dict.fromkeys(commands, (1, True, ""))


def test_disable_ends_sessions_and_a_disabled_account_gets_no_token(runner: FlaskCliRunner) -> None:
    user = make_user()
    browser = signed_in(user)
    assert browser.get("/account").status_code == 200
    assert runner.invoke(args=["users", "disable", user.email]).output == f"disabled {user.email}\n"
    assert browser.get("/account").status_code == 302
    assert runner.invoke(args=["users", "disable", user.email]).exit_code == 0
    result = runner.invoke(args=["users", "token", user.email])
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_token_has_a_scope_and_a_name(runner: FlaskCliRunner, app: Flask) -> None:
    user = make_user()
    for words in ([], ["--scope", "read", "--name", "nightly import"]):
        assert runner.invoke(args=["users", "token", user.email, *words]).exit_code == 0
    with app.app_context():
        found = [(one.scope, one.name) for one in tokens.live(user)]
    assert found == [("read", "nightly import"), ("write", "command line")]
    for words in (["--scope", "admin"], ["--name", "x" * 81]):
        result = runner.invoke(args=["users", "token", user.email, *words])
        assert result.exit_code != 0
        assert result.stdout == ""


def test_revoke_tokens_ends_all_of_one_account(runner: FlaskCliRunner, client: FlaskClient) -> None:
    user, other = make_user(), bearer(make_user())
    headers = [bearer(user), bearer(user)]
    result = runner.invoke(args=["users", "revoke-tokens", user.email])
    assert (result.exit_code, result.stdout) == (0, f"revoked 2 tokens of {user.email}\n")
    assert [client.get("/api/lessons", headers=one).status_code for one in (*headers, other)] == [
        401,
        401,
        200,
    ]
    assert runner.invoke(args=["users", "revoke-tokens", user.email]).stdout.startswith("revoked 0 tokens")


def test_an_account_that_is_enabled_again_has_no_token(runner: FlaskCliRunner, client: FlaskClient) -> None:
    user = make_user()
    headers = bearer(user)
    runner.invoke(args=["users", "disable", user.email])
    assert client.get("/api/lessons", headers=headers).status_code == 401
    result = runner.invoke(args=["users", "enable", user.email])
    assert (result.exit_code, result.stdout) == (0, f"enabled {user.email}\n")
    assert client.get("/api/lessons", headers=headers).status_code == 401
    assert signed_in(user).get("/account").status_code == 200


def test_a_role_is_changed_and_what_was_open_ends(runner: FlaskCliRunner, client: FlaskClient) -> None:
    user = make_user(role="student")
    headers, browser = bearer(user), signed_in(user)
    result = runner.invoke(args=["users", "role", user.email, "instructor"])
    assert (result.exit_code, result.stdout) == (0, f"{user.email} is instructor\n")
    assert client.get("/api/lessons", headers=headers).status_code == 401
    assert browser.get("/account").status_code == 302
    assert runner.invoke(args=["users", "role", user.email, "owner"]).exit_code == 2


@pytest.mark.parametrize("words", [["role", "a@school.example", "support"], ["disable", "a@school.example"]])
def test_no_command_takes_the_last_admin_away(runner: FlaskCliRunner, words: list[str]) -> None:
    make_user(role="admin", email="a@school.example")
    make_user(role="admin", email="b@school.example", active=False)
    result = runner.invoke(args=["users", *words])
    assert result.exit_code == 1
    assert "the last admin" in result.stderr
    runner.invoke(args=["users", "enable", "b@school.example"])
    assert runner.invoke(args=["users", *words]).exit_code == 0


def test_list_has_one_line_an_account(runner: FlaskCliRunner, app: Flask) -> None:
    make_user(email="b@school.example", role="admin", name="Bea")
    make_user(email="a@school.example", role="student", name="Ann", active=False)
    result = runner.invoke(args=["users", "list"])
    assert result.stdout.splitlines() == [
        "a@school.example\tstudent\tdisabled\tAnn",
        "b@school.example\tadmin\tactive\tBea",
    ]
    with app.app_context():
        db.session.remove()


def test_reset_password_prints_a_temporary_one_alone_and_ends_every_session(
    runner: FlaskCliRunner, app: Flask
) -> None:
    user = make_user()
    browser = signed_in(user)
    result = runner.invoke(args=["users", "reset-password", user.email.upper()])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    assert browser.get("/account").status_code == 302
    with app.app_context():
        found = users.find_by_email(user.email)
        assert found is not None
        assert found.must_change_password
        assert passwords.proves(found.password_hash, result.stdout.rstrip("\n"))
    make_user(email="off@school.example", active=False)
    for email in ("nobody@school.example", "off@school.example"):
        result = runner.invoke(args=["users", "reset-password", email])
        assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize(("more", "temporary"), [([], False), (["--temporary"], True)])
def test_create_reads_a_password_from_one_line(
    runner: FlaskCliRunner, app: Flask, more: list[str], temporary: bool
) -> None:
    words = ["users", "create", "ada@school.example", "--role", "admin", "--password-stdin", *more]
    result = runner.invoke(args=words, input=f"{PASSWORD}\nanother line\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    with app.app_context():
        user = users.find_by_email("ada@school.example")
        assert user is not None
        assert passwords.proves(user.password_hash, PASSWORD)
        assert user.must_change_password is temporary


def test_create_without_a_password_says_how_to_get_one(runner: FlaskCliRunner) -> None:
    words = ["users", "create", "ada@school.example", "--role", "admin"]
    result = runner.invoke(args=words)
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert "users reset-password ada@school.example" in result.stderr
    for wrong in (["--temporary"], ["--password-stdin", "--password", PASSWORD]):
        assert runner.invoke(args=[*words, *wrong], input="").exit_code == 2


def test_reset_second_factor_and_seal_anew(runner: FlaskCliRunner, session: object) -> None:
    user = make_user(email="ada@school.example")
    give_app(user)
    run = runner.invoke
    done = run(args=["users", "reset-second-factor", "ada@school.example"])
    assert done.exit_code == 0
    assert done.output == "ada@school.example signs in without a second step until a new one is set up\n"
    again = run(args=["users", "reset-second-factor", "ada@school.example"])
    assert again.exit_code == 1
    assert "has no second factor" in again.output
    give_app(user)
    former = config.current().secret_key
    with overridden(secret_key="another key", secret_key_fallbacks=(former,)):
        assert run(args=["users", "seal-anew"]).output == "encrypted anew: 1, unreadable: 0\n"
    lost = run(args=["users", "seal-anew"])
    assert (lost.exit_code, lost.output) == (1, "encrypted anew: 0, unreadable: 1\n")


def run(runner: FlaskCliRunner, *words: str, **more: object) -> str:
    result = runner.invoke(args=["users", *words], **more)
    assert result.exit_code == 0, result.output
    return result.output


def refused(runner: FlaskCliRunner, *words: str, **more: object) -> str:
    result = runner.invoke(args=["users", *words], **more)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.output


def test_an_invitation_is_printed_sent_again_and_withdrawn(
    runner: FlaskCliRunner, client: FlaskClient
) -> None:
    result = runner.invoke(args=["users", "create", "new@school.example", "--role", "student", "--invite"])
    assert result.exit_code == 0
    first = urlsplit(result.stdout.strip()).path
    assert client.get(first).status_code == 200
    assert "new@school.example\tstudent\tinvited\t" in run(runner, "list")
    again = urlsplit(run(runner, "invite", "new@school.example").strip()).path
    assert [client.get(path).status_code for path in (first, again)] == [410, 200]
    assert "withdrawn" in run(runner, "withdraw-invitation", "new@school.example")
    assert client.get(again).status_code == 410
    user = make_user()
    assert "no invitation" in refused(runner, "invite", user.email)
    words = ("create", "x@school.example", "--role", "student", "--invite", "--password", PASSWORD)
    assert runner.invoke(args=["users", *words]).exit_code == 2


def test_with_a_mail_server_the_invitation_leaves_by_mail(runner: FlaskCliRunner) -> None:
    with overridden(mail_url="smtp://127.0.0.1:1"):
        said = run(runner, "create", "new@school.example", "--role", "student", "--invite")
    assert "a mail with a link is sent to new@school.example" in said
    assert "/invitation/" not in said


def test_a_link_for_a_new_password_is_printed_alone(runner: FlaskCliRunner, client: FlaskClient) -> None:
    user = make_user()
    path = urlsplit(run(runner, "reset-link", user.email).strip()).path
    assert client.get(path).status_code == 200
    assert "disabled" in refused(runner, "reset-link", make_user(active=False).email)


def test_name_and_address(runner: FlaskCliRunner) -> None:
    user, other = make_user(email="old@school.example"), make_user()
    run(runner, "rename", "old@school.example", "Zoe")
    assert run(runner, "change-email", "OLD@school.example", "new@school.example").endswith(
        "new@school.example\n"
    )
    assert "new@school.example\tinstructor\tactive\tZoe" in run(runner, "list")
    assert "already" in refused(runner, "change-email", "new@school.example", other.email)
    assert "no account" in refused(runner, "rename", user.email + "x", "Zoe")


def test_sessions_end(runner: FlaskCliRunner) -> None:
    user = make_user()
    browser = signed_in(user)
    assert run(runner, "end-sessions", user.email) == f"ended 1 session of {user.email}\n"
    assert browser.get("/account").status_code == 302


def test_the_data_of_a_person_are_json(runner: FlaskCliRunner) -> None:
    user = make_user(name="Ada")
    assert json.loads(run(runner, "data", user.email))["account"]["name"] == "Ada"


def test_a_deletion_is_asked_and_final(runner: FlaskCliRunner) -> None:
    user, admin = make_user(role="student", email="ada@school.example"), make_user(role="admin")
    assert "can't be undone" in refused(runner, "delete", user.email, input="n\n")
    assert run(runner, "delete", user.email, input="y\n").endswith("deleted ada@school.example\n")
    assert "no account" in refused(runner, "delete", "ada@school.example", "--yes")
    assert "last admin" in refused(runner, "delete", admin.email, "--yes")
    assert run(runner, "list").count("\n") == 1, "a deleted account is not listed"


def test_leave_single_sign_on(runner: FlaskCliRunner, app: Flask) -> None:
    user = make_user(email="ada@school.example")
    keep(ProviderIdentity(user_id=user.id, issuer="https://login.school.example", subject="b7c1"))
    args = ["users", "leave-single-sign-on", "ada@school.example"]
    assert runner.invoke(args=args).output == "ada@school.example has left single sign-on\n"
    assert runner.invoke(args=args).output == "ada@school.example was not joined to single sign-on\n"
