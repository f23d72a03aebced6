"""Where Mux's answers come from: a call for each, or pages of a hundred assets that were read a moment before.

What no page shows is asked for by itself: nothing is concluded from its absence, and nothing here decides anything.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lessonadmin import mux
from lessonadmin.temporary_ids import is_temporary

FRESH_SECONDS = 30.0


@dataclass(frozen=True)
class Answers:
    """How Mux is asked: with which token, and what its pages have said already, by asset id and by upload id."""

    priority: mux.Priority
    pages: Mapping[str, mux.Asset] = field(default_factory=dict)
    read_at: float = field(default_factory=time.monotonic)

    @property
    def fresh(self) -> bool:
        """Pages grow old; single calls never do."""
        return not self.pages or time.monotonic() - self.read_at < FRESH_SECONDS

    def asset(self, asset_id: str) -> mux.Asset:
        return self.pages.get(asset_id) or mux.get_asset(asset_id, priority=self.priority)

    def upload(self, upload_id: str) -> mux.Upload:
        return mux.get_upload(upload_id, priority=self.priority)

    def made_of(self, upload_id: str | None) -> mux.Asset | None:
        """The asset that came of an upload, if a page has shown it."""
        return self.pages.get(upload_id or "")

    def cost(self, asset_id: str | None, upload_id: str | None) -> int:
        """How many calls it takes at most to ask about an upload."""
        known = None if is_temporary(asset_id) else asset_id
        if (known or upload_id or "") in self.pages:
            return 0
        return 1 if known else 2
