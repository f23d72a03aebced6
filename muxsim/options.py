"""What a simulator is started with: tokens, webhook endpoints, directories. Plain values, no behaviour."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ENVIRONMENT = "Development"
PERMISSIONS = ("video:read", "video:write", "data:read", "data:write", "system:read", "system:write")
DEFAULT_SECRET = "whsec_muxsim"  # noqa: S105 - a simulator's default, documented as such # nosec B105


@dataclass(frozen=True)
class Token:
    """An access token: who may call, with which priority, in which environment, and what for."""

    id: str
    secret: str
    priority: str = "high"
    env: str = ENVIRONMENT
    permissions: tuple[str, ...] = field(default=PERMISSIONS, kw_only=True)

    @classmethod
    def parse(cls, text: str) -> "Token":
        """``ID:SECRET``, ``ID:SECRET:low`` or ``ID:SECRET:high:Environment name``; all permissions."""
        parts = text.split(":", 3)
        if len(parts) < 2 or not parts[0] or not parts[1]:
            raise ValueError(f"a token is written ID:SECRET[:high|low[:ENVIRONMENT]], not {text!r}")
        priority = parts[2] if len(parts) > 2 and parts[2] else "high"
        if priority not in ("high", "low"):
            raise ValueError(f"a token's priority is high or low, not {priority!r}")
        return cls(parts[0], parts[1], priority, parts[3] if len(parts) > 3 else ENVIRONMENT)


DEFAULT_TOKENS = (
    Token("muxsim-high", "muxsim-high-secret", "high"),
    Token("muxsim-low", "muxsim-low-secret", "low"),
)


@dataclass(frozen=True)
class Endpoint:
    """A webhook address with the secret that signs what is sent there."""

    url: str
    secret: str
    env: str = ENVIRONMENT


def parse_webhooks(urls: Iterable[str], secrets: Iterable[str]) -> list[Endpoint]:
    """The n-th URL goes with the n-th secret; the last secret serves the rest.

    ``URL#SECRET`` carries its own: a fragment is never sent over HTTP, so the sign is free for it.
    """
    given = list(secrets) or [DEFAULT_SECRET]
    endpoints = []
    for number, text in enumerate(urls):
        url, _, own = text.partition("#")
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"a webhook is an http(s) URL, not {text!r}")
        endpoints.append(Endpoint(url, own or given[min(number, len(given) - 1)]))
    return endpoints


@dataclass
class Options:
    """Everything a simulator needs to start."""

    state_dir: Path
    tokens: list[Token] = field(default_factory=lambda: list(DEFAULT_TOKENS))
    webhooks: list[Endpoint] = field(default_factory=list)
    port: int = 0
    public_url: str | None = None
    seed: str | None = None
    speed: float = 1.0
    ffmpeg: bool = True
    switches: dict[str, Any] = field(default_factory=dict)
