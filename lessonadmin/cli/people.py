"""`flask users ...`: accounts and their tokens."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.account_life import deletion, forgotten_password, invitations, link_mail, own_data
from lessonadmin.domain.accounts import administration, tokens
from lessonadmin.domain.accounts import users as accounts_users
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models.accounts import ROLES, LinkKind, User
from lessonadmin.domain.second_factor import authenticator_app, reset
from lessonadmin.domain.single_sign_on import people
from lessonadmin.text.texts import visible

users = AppGroup("users", help="Accounts.")


def _found(email: str) -> User:
    user = accounts_users.find_by_email(email)
    if user is None:
        raise click.ClickException(f"There is no account for {email}.")
    return user


@contextmanager
def _changing() -> Iterator[None]:
    """A transaction of the command line's; a refusal is one line and exit code 1."""
    try:
        with transaction(CLI):
            yield
    except Problem as problem:
        raise click.ClickException(problem.sentences) from problem


@users.command("create")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--name", default="")
@click.option(
    "--password", default=None, help="Others see it in the list of processes: --password-stdin is better."
)
@click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from one line of standard input."
)
@click.option("--temporary", is_flag=True, help="It must be changed at the first sign-in, within 24 hours.")
@click.option("--invite", is_flag=True, help="By mail; without a mail server the link is printed.")
def create_user(
    email: str, role: str, name: str, password: str | None, from_stdin: bool, temporary: bool, invite: bool
) -> None:
    """Make an account; without a password it can use tokens only."""
    if from_stdin:
        if password is not None:
            raise click.UsageError("Give --password or --password-stdin, not both.")
        password = sys.stdin.readline().rstrip("\r\n")
    if temporary and password is None:
        raise click.UsageError("--temporary needs a password: give one with --password-stdin.")
    if invite and password is not None:
        raise click.UsageError(
            "An invited person chooses the password: give --invite or a password, not both."
        )
    if invite:
        with _changing():
            user, secret = invitations.invite(email=email, role=role, name=name)
        click.echo(f"created {user.email} ({user.role}) {user.id}", err=True)
        _show(secret, "invitation", user)
        return
    with _changing():
        user = accounts_users.create_user(
            email=email, role=role, name=name, password=password, temporary=temporary
        )
    click.echo(f"created {user.email} ({user.role}) {user.id}")
    if password is None:
        said = f"It has no password yet. For one to sign in with: flask --app app users reset-password {user.email}"
        click.echo(said, err=True)


@users.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a new temporary password, this once, and end every session. It lives for 24 hours."""
    with transaction(CLI):
        user = _found(email)
        if not user.active:
            raise click.ClickException(f"The account {email} is disabled: a password would open nothing.")
        password = accounts_users.reset_password(user)
    click.echo(password)


def _show(secret: str | None, kind: LinkKind, user: User) -> None:
    """The link, alone on standard output, or that it leaves by mail."""
    if secret is None:
        click.echo(f"a mail with a link is sent to {user.email}")
    else:
        click.echo(link_mail.address_of(kind, secret))


@users.command("invite")
@click.argument("email")
def invite_user(email: str) -> None:
    """Send the invitation of an account again; the former link ends. Without a mail server, print the link."""
    with _changing():
        user = _found(email)
        secret = invitations.send_again(None, user)
    _show(secret, "invitation", user)


@users.command("withdraw-invitation")
@click.argument("email")
def withdraw_invitation(email: str) -> None:
    """End the link of an invitation; the account stays closed."""
    with _changing():
        invitations.withdraw(None, _found(email))
    click.echo(f"the invitation of {email} is withdrawn")


@users.command("reset-link")
@click.argument("email")
def reset_link(email: str) -> None:
    """Print a link by which a new password is chosen, once, within 24 hours."""
    with _changing():
        user = _found(email)
        secret = forgotten_password.make_link(None, user)
    _show(secret, "password_reset", user)


@users.command("rename")
@click.argument("email")
@click.argument("name")
def rename(email: str, name: str) -> None:
    """Change the name of an account."""
    with _changing():
        administration.rename(None, _found(email).id, name)
    click.echo(f"renamed {email}")


@users.command("change-email")
@click.argument("email")
@click.argument("new_email")
def change_email(email: str, new_email: str) -> None:
    """Change the address of an account, at once; both addresses are told."""
    with _changing():
        user = administration.set_email(None, _found(email).id, new_email)
    click.echo(f"{email} is {user.email}")


@users.command("end-sessions")
@click.argument("email")
def end_sessions(email: str) -> None:
    """Sign an account out everywhere; tokens stay."""
    with _changing():
        ended = administration.end_sessions(None, _found(email).id)
    click.echo(f"ended {ended} session{'' if ended == 1 else 's'} of {email}")


@users.command("data")
@click.argument("email")
def show_data(email: str) -> None:
    """Print what is held of a person, as JSON."""
    with _changing():
        document = own_data.document(_found(email))
    click.echo(json.dumps(document, indent=1))


@users.command("delete")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_user(email: str, yes: bool) -> None:
    """Delete an account for good; its lessons and courses are transferred before."""
    if not yes:
        click.confirm(f"Delete the account {email}? This can't be undone.", abort=True, err=True)
    with _changing():
        deletion.delete_other(None, _found(email).id)
    click.echo(f"deleted {email}")


@users.command("token")
@click.argument("email")
@click.option("--scope", default="write", type=click.Choice(tokens.SCOPES), show_default=True)
@click.option("--name", default="command line", show_default=True)
def create_token(email: str, scope: str, name: str) -> None:
    """Print a new bearer token, this once. It lives for 90 days."""
    with _changing():
        token = tokens.create(_found(email), name=name, scope=scope)
    click.echo(token)


@users.command("revoke-tokens")
@click.argument("email")
def revoke_tokens(email: str) -> None:
    """End all bearer tokens of an account."""
    with _changing():
        ended = administration.revoke_tokens(None, _found(email).id)
    click.echo(f"revoked {ended} token{'' if ended == 1 else 's'} of {email}")


@users.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Remove the second step of an account; its sessions and bearer tokens end, its password stays."""
    with _changing():
        reset.reset(None, _found(email).id)
    click.echo(f"{email} signs in without a second step until a new one is set up")


@users.command("leave-single-sign-on")
@click.argument("email")
def leave_single_sign_on(email: str) -> None:
    """The provider of single sign-on opens an account no more, until its address joins it again."""
    with _changing():
        joined = people.leave(_found(email))
    click.echo(f"{email} {'has left' if joined else 'was not joined to'} single sign-on")


@users.command("seal-anew")
def seal_anew() -> None:
    """Encrypt the secrets of authenticator apps with the present SECRET_KEY, before a former one is taken away."""
    with _changing():
        sealed, unreadable = authenticator_app.seal_all_anew()
    click.echo(f"encrypted anew: {sealed}, unreadable: {unreadable}")
    if unreadable:
        raise SystemExit(1)


@users.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def set_role(email: str, role: str) -> None:
    """Give an account another role; its sessions and bearer tokens end."""
    with _changing():
        administration.set_role(None, _found(email).id, role)
    click.echo(f"{email} is {role}")


@users.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Close an account and end its sessions and bearer tokens."""
    with _changing():
        administration.set_active(None, _found(email).id, False)
    click.echo(f"disabled {email}")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Open an account again; no session and no bearer token comes back."""
    with _changing():
        administration.set_active(None, _found(email).id, True)
    click.echo(f"enabled {email}")


@users.command("list")
def list_users() -> None:
    """One line an account."""
    for user in accounts_users.list_users():
        state = "disabled" if not user.active else "invited" if user.is_invited else "active"
        click.echo("\t".join(map(visible, (user.email, user.role, state, user.name))))


def init_app(app: Flask) -> None:
    app.cli.add_command(users)
