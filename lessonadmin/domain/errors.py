"""What a rule may answer instead of doing: one class a kind of no, each with a stable type and a plain sentence.

The web turns the class into a status; nothing in here knows HTTP.
"""


class Problem(Exception):
    """The base: `type` is for programs, `message` for people, `fields` for forms."""

    def __init__(self, type_: str, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.type = type_
        self.message = message
        self.fields = fields

    @property
    def sentences(self) -> str:
        """Everything that is wrong, where there is one place for all of it."""
        return " ".join((self.fields or {}).values()) or self.message


class Invalid(Problem):
    """The input is wrong; `fields` says where."""

    @classmethod
    def field(cls, name: str, message: str) -> "Invalid":
        return cls("invalid_input", message, fields={name: message})


class Missing(Problem):
    """There is no such thing, or not for this person: both look the same from outside."""

    def __init__(self, type_: str = "not_found", message: str = "There is nothing here.") -> None:
        super().__init__(type_, message)


class Forbidden(Problem):
    """The person is known and may not do this."""


class Conflict(Problem):
    """Right in itself, but not in the present state."""


class TooLarge(Problem):
    """More bytes than the app takes."""


class WrongType(Problem):
    """A file of a kind that the app does not take."""


class TooMany(Problem):
    """Too often; `retry_after` says in how many seconds it is worth asking again."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__("rate_limited", message)
        self.retry_after = retry_after


class Unavailable(Problem):
    """A service (Mux, most often) did not answer; nothing was changed. `retry_after`: seconds, if known.
    `for_support`: only an operator ends it, so people get a reference to give to support."""

    def __init__(
        self, type_: str, message: str, *, retry_after: int | None = None, for_support: bool = False
    ) -> None:
        super().__init__(type_, message)
        self.retry_after = retry_after
        self.for_support = for_support
