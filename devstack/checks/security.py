"""bandit reads what is delivered and what prepares it: `python -m devstack.checks.security`.

Tests and benchmarks are left out: they have passwords of their own servers in them. An exception is `# nosec` with the number of the rule,
behind its reason, at its place.
"""

import subprocess
import sys
from collections.abc import Sequence

from devstack import places

CODE = ("app.py", "gunicorn.conf.py", "lessonadmin", "muxsim", "devstack", "migrations")
# It says this of each line of a statement that an exception stands in, used or not.
NOISE = "but no failed test"


def run(code: Sequence[str]) -> tuple[int, str]:
    """The exit code, and what bandit says."""
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "--quiet", "-c", "pyproject.toml", "-r", *code],
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, "\n".join(line for line in done.stdout.splitlines() if NOISE not in line)


def main() -> int:
    """Print what it says; 1 if there is something."""
    code, said = run(CODE)
    print(said)
    return code


if __name__ == "__main__":
    sys.exit(main())
