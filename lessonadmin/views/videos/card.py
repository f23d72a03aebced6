"""Everything that `templates/video/` draws about one video, gathered in one place for lessons and course previews alike.

The page at its first load and the fragment that is fetched later show the same thing because both come from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, render_template, request, url_for

from lessonadmin import auth, config, mux
from lessonadmin.domain import buyers, thumbnails
from lessonadmin.domain.captions import asking
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import CaptionTrack, Kind, Lesson, Owner
from lessonadmin.domain.uploads import direct_upload, estimates
from lessonadmin.domain.uploads.estimates import Estimate
from lessonadmin.domain.videos import restoring, video_status, wording
from lessonadmin.domain.videos.restoring import Removed
from lessonadmin.domain.videos.video_status import Captions, KeptVideo, VideoStatus
from lessonadmin.text import subtitles
from lessonadmin.views.videos.actions import ACTIONS
from lessonadmin.web import address_numbers, fragments, headers
from lessonadmin.web.player import Player, player_of

MAX_ATTEMPTS = 60
# while a person looks, so that a page shows within two seconds what is known here; an unchanged answer has no body
WAITED_FOR_SECONDS = 3600.0  # a time that a lesson has, by a page that is open meanwhile
PAGE_POLL_MS = 1500
CAPTIONS_POLL_MS = 5000
SOON = ("asked", "preparing")  # captions, also beside others that are ready
SHOWN_LATE = ("uploading", "processing", "ready")
# what a browser offers first; the rest of Mux's languages follows by name
FIRST_LANGUAGES = (("", "No captions"), (mux.AUTOMATIC, "Let Mux detect the language"))


@dataclass(frozen=True, kw_only=True)
class Card:
    """One video as a page shows it. `urls`: by name, its pages and what may be done: edit, publish, remove.

    `pressed`: the action that was just asked for; `said`: the word for what came of it, or `problem`: why nothing did.
    """

    kind: Kind
    owner: Owner | None
    video_status: VideoStatus | None
    urls: Mapping[str, str]
    estimate: Estimate | None = None
    kept: KeptVideo | None = None
    player: Player | None = None
    picture: str | None = None
    attempt: int = 0
    said: str = ""
    problem: Problem | None = None
    pressed: str = ""
    bought: int = 0
    buyers: Sequence[str] = ()  # the first few by name, for staff
    removed: Removed | None = None
    tracks: Sequence[tuple[CaptionTrack, str]] = ()  # its captions, each with who has checked it
    language: str = ""  # of its course: what captions begin with
    keeps_removed: int = 0  # for how many seconds a video that is removed now can be restored

    @property
    def status(self) -> str:
        return self.video_status.status if self.video_status is not None else "none"

    @property
    def replacing(self) -> str:
        """The state of the video that is to take the place of the one that plays."""
        found = self.video_status.replacement if self.video_status is not None else None
        return found.status if found is not None else ""

    @property
    def moving(self) -> bool:
        """Something changes without the person: not so while a removed video is kept for a day."""
        kept = self.status == "deleting" and self.removed is not None
        return self.video_status is not None and not self.video_status.settled and not kept

    @property
    def in_background(self) -> bool:
        """The page has asked so often that it stops; the work goes on without it."""
        return self.moving and self.attempt >= MAX_ATTEMPTS

    @property
    def next_ms(self) -> int | None:
        """When the page asks again; None: there is nothing to wait for."""
        if self.attempt >= MAX_ATTEMPTS:
            return None
        if self.moving:
            return PAGE_POLL_MS
        if self.captions.status == "preparing" or any(one.state in SOON for one, _ in self.tracks):
            return CAPTIONS_POLL_MS
        times = (
            (self.owner.publish_not_before, self.owner.unpublish_at) if isinstance(self.owner, Lesson) else ()
        )
        left = min(((at - datetime.now(UTC)).total_seconds() for at in times if at is not None), default=None)
        return max(PAGE_POLL_MS, int(left * 1000)) if left is not None and left < WAITED_FOR_SECONDS else None

    @property
    def captions(self) -> Captions:
        return self.video_status.captions if self.video_status is not None else Captions()

    def language_name(self, code: str | None) -> str:
        return wording.language_name(code) or "Language not known yet"

    @property
    def late(self) -> bool:
        """What is on its way takes longer than it should, and the page says so."""
        found = self.video_status
        return found is not None and found.stuck and not found.temporary and self.status in SHOWN_LATE

    @property
    def answer_place(self) -> str:
        """The part of the page where the answer to the last press is looked for."""
        if self.problem is None:
            return "publication" if self.said in ("published", "unpublished") else "video"
        about_publication = self.pressed in ("publish", "unpublish") and self.status == "ready"
        return "publication" if about_publication else "video"

    @property
    def sentence(self) -> str:
        return video_status.sentence(self.video_status) if self.video_status is not None else ""

    @property
    def uploader_open(self) -> bool:
        """A lesson without a video shows the drop zone at once; beside a video it waits behind "Replace"."""
        return self.status in ("none", "error", "uploading") and not self._on_its_way

    @property
    def _on_its_way(self) -> bool:
        """The file was sent and is expected to arrive."""
        found = self.video_status
        return found is not None and self.status == "uploading" and found.bytes_in and not found.stuck


def of(owner: Owner, *, said: str = "", problem: Problem | None = None, pressed: str = "") -> Card:
    found = video_status.of(owner)
    bought = buyers.count(owner.id) if isinstance(owner, Lesson) else 0
    return Card(
        kind=owner.kind,
        owner=owner,
        video_status=found,
        urls={name: owner_url(owner, name) for name in ("edit", "video", "delete", *ACTIONS[owner.kind])},
        estimate=estimates.of(owner) if not found.settled else None,
        kept=video_status.kept_beside(owner) if found.can_undo else None,
        player=player_of(owner),
        picture=thumbnails.thumbnail(owner, width=192, height=108),
        attempt=address_numbers.attempts(),
        said=said or request.args.get("said", "")[:20],
        problem=problem,
        pressed=pressed,
        bought=bought,
        buyers=buyers.first_names([owner.id]) if bought and auth.current_user().is_staff else (),
        tracks=_tracks(found),
        language=asking.language_of(owner) or "",
        keeps_removed=config.current().replaced_grace_seconds,
        removed=restoring.removed(owner.kind, owner.id) if found.status != "ready" else None,
    )


def _tracks(found: VideoStatus) -> Sequence[tuple[CaptionTrack, str]]:
    upload_id = found.captions.tracking_id
    if upload_id is None or found.status != "ready" or found.captions.status == "none":
        return ()
    return asking.shown_for(upload_id)


def owner_url(owner: Owner, name: str, **more: Any) -> str:
    """The address of a page or an action of a lesson or course."""
    values: dict[str, Any] = {f"{owner.kind}_id": owner.id, **more}
    return url_for(f"{owner.kind}s.{name}", **values)


def blank(kind: Kind) -> Card:
    """For a lesson or course that is not stored yet."""
    return Card(kind=kind, owner=None, video_status=None, urls={})


def upload_rules() -> dict[str, object]:
    """What the browser checks before the first byte; the server checks the same again."""
    settings = config.current()
    endings = {
        ending: kind
        for ending, kind in direct_upload.TYPES_BY_EXTENSION.items()
        if kind in settings.upload_types
    }
    return {
        "types": " ".join(settings.upload_types),
        "endings": endings,
        "names": sorted({ending.upper() for ending in endings}),
        "max_mb": settings.upload_max_mb,
        "user_id": auth.current_user().id,
        "languages": _languages(),
        "captions_max_bytes": subtitles.MAX_BYTES,
        "captions_label": asking.MAX_LABEL_LENGTH,
    }


def _languages() -> list[tuple[str, str]]:
    return [*FIRST_LANGUAGES, *wording.languages_by_name()]


def fragment(card: Card, *, status: int = 200) -> Response:
    """The state alone, for the page that is open already."""
    headers.needs_widgets()
    html = render_template("video/state.html", card=card, rules=upload_rules())
    return fragments.answer(html, name="video", status=status)
