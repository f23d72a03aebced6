"""What can go wrong with Mux: four kinds that are never mixed up, each with a category and a sentence for staff.

`Gone`     Mux said, in its own form, that this id does not exist: the only answer that may clear anything.
`Refused`  Mux will not do it, however often it is asked; a person must change something.
`Later`    Nothing is known: too many calls, a fault at Mux, no connection, no answer in time; or it was not asked (`busy`).
`Nonsense` An answer came and cannot be understood; nothing is known either.

Nothing in here decides what follows from a failure.
"""

from typing import ClassVar, Literal

from lessonadmin.text.texts import plain

Kind = Literal["gone", "refused", "later", "nonsense"]
Category = Literal[
    "not_found",
    "rate_limit",
    "auth_error",
    "timeout",
    "network",
    "server_error",
    "quota",
    "temp_asset",
    "preparing",
    "busy",
    "unknown",
]


class MuxError(Exception):
    """The base of the four kinds; never raised itself."""

    kind: ClassVar[Kind]
    usual: ClassVar[Category] = "unknown"

    def __init__(
        self,
        message: str,
        *,
        category: Category | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = plain(message)
        self.category: Category = category or self.usual
        self.status = status
        self.retry_after = retry_after
        super().__init__(self.message)


class Gone(MuxError):
    kind = "gone"
    usual = "not_found"


class Refused(MuxError):
    kind = "refused"


class Later(MuxError):
    kind = "later"
    usual = "server_error"


class Nonsense(MuxError):
    kind = "nonsense"
