"""News about one upload: what happened to it, who found out, and what came along. Read by `reading`, applied by `videos`."""

from dataclasses import dataclass
from typing import Literal

from lessonadmin.domain.video_state import Happening

Outcome = Literal["applied", "no_change", "ask"]
FoundBy = Literal["webhook", "sweep", "manual"]


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing that happened to an upload, and what came along with it."""

    happening: Happening
    found_by: FoundBy = "manual"
    seen: bool = False
    upload_id: str | None = None
    asset_id: str | None = None
    playback_id: str | None = None
    policy: str | None = None
    duration: float | None = None
    progress: int | None = None
    error_type: str | None = None
    error_message: str | None = None
