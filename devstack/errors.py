"""What goes wrong while setting up is told in one sentence, never as a traceback.

Code that meets a problem that a person can solve raises `SetupError` with that sentence; the commands' outermost call
turns it, and the faults of the machine itself (a full disk, a folder that cannot be written), into a line and an exit
code. A fault of the code itself is none of these and keeps its traceback.
"""

import errno
import os
import sys
from collections.abc import Callable


class SetupError(Exception):
    """Something that a person can mend; its text is the one sentence that says what and how."""


def sentence_for(error: OSError) -> str | None:
    """The sentence for a fault of the machine, or nothing if it is not a known one."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}: make room and start again; nothing needs to be repaired."
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"This folder cannot be written{where}: give {user_name()} the right to write in it, or clone it elsewhere."
    return None


def user_name() -> str:
    """The name of the running user, for a sentence; people without an entry in the user list are called by number."""
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return f"user {os.geteuid()}"


def told(main: Callable[[], int]) -> int:
    """Run a command; a SetupError becomes its sentence on the error output and exit code 1."""
    try:
        return main()
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        print(f"\n{sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
