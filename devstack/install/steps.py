"""A step of the set-up: a command whose output goes to a log, with one line for the person who waits.

Its failure is told in one sentence; the log has the rest. Standard library only.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import places
from devstack.errors import SetupError
from devstack.servers import privileges

LOG = places.SETUP / "setup.log"

# What the tools' output says, and what that means for the person who reads it; the first that is found counts.
MEANINGS = (
    (r"No space left on device|ENOSPC|Disk quota exceeded", "the disk is full: make room and start again"),
    (
        (
            r"Temporary failure in name resolution|Name or service not known|NewConnectionError|ConnectTimeout"
            r"|Failed to establish a new connection|Max retries exceeded|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"
            r"|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|ReadTimeoutError|ProxyError"
        ),
        "the package index cannot be reached: connect this machine to the network for the first start and try again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY_LEAF",
        (
            "the package index shows a certificate that this machine does not trust: if your network has an authority of "
            "its own, name its file in PIP_CERT and NODE_EXTRA_CA_CERTS"
        ),
    ),
    (
        r"DO NOT MATCH THE HASHES|EINTEGRITY",
        "a package is not the file that the requirements name, so it was not installed: after a changed version bin/pins writes its hashes",
    ),
    (
        r"Hashes are required in --require-hashes mode",
        "a requirement has no hash, so nothing was installed: bin/pins writes them",
    ),
    (r"Permission denied|EACCES|EROFS|Read-only file system", "a folder cannot be written"),
)


def run(title: str, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, or raise the SetupError that its output tells of."""
    started = time.monotonic()
    tty = sys.stdout.isatty()
    print(f"{title} ...", end="" if tty else "\n", flush=True)
    with LOG.open("a+", errors="replace") as log:
        begin = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=places.ROOT,
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=privileges.tied(signal.SIGTERM),
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        log.seek(begin)
        output = log.read()
    if code != 0:
        print(flush=True)
        why = f"it was ended from outside ({signal.Signals(-code).name})" if code < 0 else meaning(output)
        raise SetupError(f"{title} failed: {why}. The whole output is in {LOG}.")
    print(f"{' ' if tty else title + ': '}done in {time.monotonic() - started:.0f} s", flush=True)


def meaning(output: str) -> str:
    """One clause for what a tool's output means."""
    for pattern, words in MEANINGS:
        if re.search(pattern, output):
            return words
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"^(ERROR|npm error|Error)(?!.*complete log)", line)]
    return (telling or lines or ["it said nothing"])[-1].rstrip(".")
