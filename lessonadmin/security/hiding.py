"""Remove from a text: secrets, upload addresses, the row that PostgreSQL quotes, e-mail addresses.

What looks like a secret, and the very secrets of this installation once they are known. The second guard. The first one is never to write them: `database_errors.in_short` describes errors of the database.
"""

import re
from collections.abc import Collection

SECRET, ADDRESS, ROW = "[secret]", "[address]", "DETAIL: [hidden]"

# Whatever PostgreSQL adds to its error holds values, and a value may hold line breaks: so everything that follows.
ROWS = re.compile(r"DETAIL:\s.*", re.DOTALL)
UPLOADS = re.compile(r"(storage\.googleapis\.com/)[^\s\"'<>]+", re.IGNORECASE)
ACCOUNTS = re.compile(r"(://)[^\s/:@\"']{0,200}:[^\s@\"']{1,500}@")
PARAMETERS = re.compile(
    r"\b((?:x-goog-|x-amz-)?(?:token|signature|credential|security-token|upload_id|secret|password|sig|key)=)[^\s&\"'<>]+",
    re.IGNORECASE,
)
BEARERS = re.compile(r"(Bearer |whsec_|Basic )[\w.\-~+/=%]+", re.IGNORECASE)
# Addresses that open an account or a preview: the path ends with the secret.
LINKS = re.compile(r"(/(?:reset-password|invitation|new-address|preview|captions)/)[^\s\"'<>?#]+")
HASHES = re.compile(r"(scrypt:|pbkdf2:|\$?argon2[a-z]*\$)[^\s\"')]+", re.IGNORECASE)
FIELDS = re.compile(
    r"\b((?:password|secret|token)_?(?:hash|key)?[\"']?\s*[:=]\s*[\"'])[^\"']+", re.IGNORECASE
)
PEOPLE = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63})+")

_known: tuple[str, ...] = ()


def know(own: Collection[str]) -> None:
    """Take out these from now on, whatever they look like; a longer one first, since it may contain a shorter one."""
    global _known
    _known = tuple(sorted(own, key=len, reverse=True))


def secrets(text: str) -> str:
    """Without secrets and anything else that gives access."""
    for own in _known:
        text = text.replace(own, SECRET)
    text = ROWS.sub(ROW, text)
    text = ACCOUNTS.sub(rf"\1{SECRET}@", text)
    for pattern in (UPLOADS, LINKS, PARAMETERS, BEARERS, HASHES, FIELDS):
        text = pattern.sub(rf"\1{SECRET}", text)
    return text


def people(text: str) -> str:
    """Without e-mail addresses."""
    return PEOPLE.sub(ADDRESS, text)
