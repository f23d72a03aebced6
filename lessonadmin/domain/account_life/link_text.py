"""What a mail with a link says. Written from plain values; nothing is sent, stored or asked for here."""

from email.message import EmailMessage

from lessonadmin import config
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.domain.models.accounts import LinkKind, Role
from lessonadmin.domain.notifications import mail_text

PATHS: dict[LinkKind, str] = {
    "password_reset": "/reset-password/",  # a kind of link # nosec B105
    "invitation": "/invitation/",
    "new_address": "/new-address/",
}
ROLES: dict[Role, str] = {
    "student": "a student",
    "instructor": "an instructor",
    "support": "a member of support",
    "admin": "an admin",
}
SUBJECTS: dict[LinkKind, str] = {
    "password_reset": "Choose a new password",  # a kind of link # nosec B105
    "invitation": "You are invited to Lessonadmin",
    "new_address": "Confirm your new address",
}


def address_of(kind: LinkKind, secret: str, *, base: str) -> str:
    return f"{base}{PATHS[kind]}{secret}"


def write(link: AccountLink, user: User, secret: str) -> EmailMessage:
    """The whole mail."""
    kind: LinkKind = link.kind  # type: ignore[assignment]  # as its table says
    address = address_of(kind, secret, base=config.current().public_url)
    texts = {"password_reset": _password_reset, "invitation": _invitation, "new_address": _new_address}
    # Each try has another link, so it is another mail; a program that knows the former one must not hide it.
    key = f"{link.id}.{link.mail_attempts}"
    return mail_text.compose(to=link.email, subject=SUBJECTS[kind], text=texts[kind](user, address), key=key)


def _password_reset(_: User, address: str) -> str:
    return (
        f"A new password was asked for, for your account at {config.current().public_url}. Choose it here:\n\n{address}\n\n"
        "The link works once, within 30 minutes. A new password signs out every browser and revokes all API tokens.\n\n"
        "If it was not you, you need not do anything: your password stays as it is.\n"
    )


def _invitation(user: User, address: str) -> str:
    hello = f"Hello {mail_text.one_line(user.name)},\n\n" if user.name else ""
    role = ROLES[user.typed_role]
    return (
        f"{hello}There is an account for you at {config.current().public_url}, as {role}. Choose your name and your password"
        f" here:\n\n{address}\n\nThe link works once, within 7 days. After that, ask for another one.\n\n"
        "If you do not know what this is about, you need not do anything.\n"
    )


def _new_address(_: User, address: str) -> str:
    return (
        f"This is to become the address of an account at {config.current().public_url}. Confirm it here:\n\n{address}\n\n"
        "The link works once, within 24 hours. Until then the former address stays in force.\n\n"
        "If it was not you, you need not do anything.\n"
    )
