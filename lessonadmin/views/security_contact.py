"""`/.well-known/security.txt` (RFC 9116): whom to tell of a security hole. Without SECURITY_CONTACT there is none."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response

from lessonadmin import config
from lessonadmin.domain.errors import Missing

bp = Blueprint("security_contact", __name__)

LIFE = timedelta(days=180)  # the standard asks for an end within a year; each answer begins anew


@bp.get("/.well-known/security.txt")
def security_txt() -> Response:
    settings = config.current()
    if settings.security_contact is None:
        raise Missing
    lines = (
        f"Contact: {settings.security_contact}",
        f"Expires: {datetime.now(UTC) + LIFE:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
