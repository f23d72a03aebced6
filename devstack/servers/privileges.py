"""How a server process is tied to its parent, and how it gives up being root.

PostgreSQL refuses to run as root. Instead of adding a user to the machine or opening folders to all users, the server
runs as `nobody` and keeps one single right of root's: to reach files whatever the folders above them allow. So a
clone under /root works, and nothing on the machine is changed.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from devstack.errors import SetupError

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

LINUX = sys.platform.startswith("linux")


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


# Loaded before any fork: between fork and exec a child must not import or allocate more than it needs.
_libc = ctypes.CDLL(None, use_errno=True)


def _call(what: str, result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _die_with_parent(parent: int, with_signal: signal.Signals) -> None:
    if not LINUX:
        return
    _call("prctl", _libc.prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0))
    if os.getppid() != parent:  # it died in between, and no signal would come any more
        os.kill(os.getpid(), with_signal)


def tied(with_signal: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends this signal when the parent is gone, even after kill -9."""
    parent = os.getpid()
    return lambda: _die_with_parent(parent, with_signal)


def needs_other_user() -> bool:
    """Whether this process is root, as which PostgreSQL will not run."""
    return os.geteuid() == 0


@dataclass(frozen=True)
class Account:
    """Whom a server runs as."""

    uid: int
    gid: int


def unprivileged() -> Account:
    """The account that PostgreSQL runs as when this process is root."""
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        raise SetupError(
            "PostgreSQL does not run as root and this machine has no user 'nobody': "
            "start as an ordinary user, or set DATABASE_URL to a server of your own."
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def tied_as(account: Account | None, with_signal: signal.Signals) -> Callable[[], None]:
    """Like `tied`, but as another user; only root may."""
    if account is None:
        return tied(with_signal)
    parent = os.getpid()

    def become() -> None:
        if LINUX:
            _call("prctl", _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        os.setgroups([])
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
        if LINUX:
            _keep_reaching_files()
        # last, since the kernel forgets the parent's signal whenever the user changes
        _die_with_parent(parent, with_signal)

    return become


def _keep_reaching_files() -> None:
    bit = 1 << CAP_DAC_OVERRIDE
    sets = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
    _call("capset", _libc.capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), sets))
    _call("prctl", _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))
