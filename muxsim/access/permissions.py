"""What each access token may do: reading and writing, of videos, figures and the system, as Mux's settings page has it."""

from muxsim.options import PERMISSIONS, Token
from muxsim.store import Store
from muxsim.switches import Switches

WHOAMI = "/system/v1/whoami"


def needed(method: str, path: str) -> str | None:
    """The permission that a call needs; ``None`` for the one call that every token may make."""
    if path.rstrip("/") == WHOAMI:
        return None
    area = path.split("/", 2)[1]
    return f"{area}:{'read' if method in ('GET', 'HEAD', 'OPTIONS') else 'write'}"


class Permissions:
    """Those a token was made with, unless the controls have changed them since."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches

    def of(self, token: Token) -> list[str]:
        held = self._store.setting("permissions", {}).get(token.id, token.permissions)
        hidden = () if self._switches["system_permission"] else ("system:read", "system:write")
        return [one for one in PERMISSIONS if one in held and one not in hidden]

    def allow(self, token: Token, method: str, path: str) -> bool:
        wanted = needed(method, path)
        return wanted is None or wanted in self.of(token)

    def set(self, token_id: str, wanted: list[str]) -> None:
        if set(wanted) - set(PERMISSIONS):
            raise ValueError(f"a permission is one of {', '.join(PERMISSIONS)}")
        with self._store.transaction():
            changed = self._store.setting("permissions", {}) | {token_id: wanted}
            self._store.set_setting("permissions", changed)

    def reset(self) -> None:
        self._store.set_setting("permissions", {})
