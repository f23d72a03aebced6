"""What an operator writes about the provider of single sign-on, read and checked. Text in, values out; no setting is read here."""

from urllib.parse import urlsplit

from lessonadmin.security import addresses

# The roles that single sign-on may give, the weakest first; admin is given by admins only.
ROLES = ("student", "instructor", "support")


def issuer(value: str) -> str:
    """As the provider writes it, since it is compared letter by letter. Unencrypted only on this machine."""
    parts = urlsplit(value)
    on_this_machine = parts.hostname == "localhost" or addresses.is_loopback(parts.hostname or "-")
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise ValueError("must be an address such as https://login.school.example")
    if (
        parts.query
        or parts.fragment
        or "@" in parts.netloc
        or (parts.scheme == "http" and not on_this_machine)
    ):
        raise ValueError("must be an address of https, without user, query and fragment")
    return value


def roles(items: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What a claim says, and the role for it; the value may itself have the sign between them."""
    found = []
    for item in items:
        said, _, role = item.rpartition("=")
        if not said.strip() or role.strip() not in ROLES:
            raise ValueError(
                "must look like staff-room=instructor,helpdesk=support; roles: " + ", ".join(ROLES)
            )
        found.append((said.strip(), role.strip()))
    return tuple(found)
