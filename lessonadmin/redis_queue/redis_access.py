"""Who may command this Redis, as far as can be seen from here: asked by the doctor, without a password and without harm."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_SECONDS = 1.0
GUESSED = frozenset(
    {"redis", "valkey", "password", "passwd", "foobared", "changeme", "secret", "admin", "default", "test"}
)
MIN_PASSWORD_LENGTH = 12


@dataclass(frozen=True)
class Access:
    """`open_at`: the addresses that take commands without a password; `far`: Redis is on another machine."""

    where: str
    far: bool
    encrypted: bool
    open_at: tuple[str, ...] = ()
    easy: bool = False


def look(url: str) -> Access:
    """What a stranger could do. Never raises; an address that does not answer is not open."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return Access("a socket of this machine", far=False, encrypted=True)
    host, port = parts.hostname or "localhost", parts.port or 6379
    near = is_loopback(host)
    # A server that is reached on loopback may listen elsewhere as well.
    asked = own_addresses() if near else (host,)
    tls = parts.scheme == "rediss"
    open_at = tuple(f"{one}:{port}" for one in asked if obeys_without_password(one, port, tls=tls))
    return Access(f"{host}:{port}", not near, tls, open_at, not near and _is_easy(parts))


def is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_loopback for one in found)


def own_addresses() -> tuple[str, ...]:
    """The addresses of this machine that others can reach, as far as its name tells them."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    addresses = {str(one[4][0]) for one in found}
    return tuple(
        sorted(one for one in addresses if not ipaddress.ip_address(one.partition("%")[0]).is_loopback)
    )


def obeys_without_password(host: str, port: int, *, tls: bool) -> bool:
    """Does it take a command from a client that gave no password?"""
    try:
        with socket.create_connection((host, port), TIMEOUT_SECONDS) as plain:
            plain.settimeout(TIMEOUT_SECONDS)
            with _wrapped(plain, host) if tls else plain as line:
                line.sendall(b"PING\r\n")
                # -NOPERM: this command is not allowed, but a client without a password may have others
                return line.recv(64).startswith((b"+PONG", b"-NOPERM"))
    except (OSError, ValueError):
        return False


def _wrapped(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """Whose certificate it is does not matter here: no secret is sent, and only the answer counts."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _is_easy(parts: SplitResult) -> bool:
    password = unquote(parts.password or "")
    return len(password) < MIN_PASSWORD_LENGTH or password.lower() in GUESSED
