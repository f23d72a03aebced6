"""The parts of a running simulator, wired together. No behaviour of its own beyond start, stop and reset."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from muxsim.access.permissions import Permissions
from muxsim.access.rate_limits import Limits
from muxsim.access.signing_keys import SigningKeys
from muxsim.clock import Clock
from muxsim.engine import Engine
from muxsim.faults import Faults
from muxsim.ids import Ids
from muxsim.options import Endpoint, Options
from muxsim.store import Doc, Store
from muxsim.switches import Switches
from muxsim.videos.assets import Assets
from muxsim.videos.lifecycle import Lifecycle
from muxsim.videos.packaging import Packager, find_ffmpeg
from muxsim.videos.processing import Processing
from muxsim.videos.tracks import Tracks
from muxsim.videos.uploads import Upload, Uploads
from muxsim.webhooks.delivery import Sender
from muxsim.webhooks.event_data import EventSender
from muxsim.webhooks.events import Events


class Core:
    """Everything a request handler may need."""

    def __init__(self, options: Options) -> None:
        directory = Path(options.state_dir)
        directory.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.directory = directory
        self.url = ""
        self.stopping = threading.Event()
        self.store = Store(directory / "muxsim.sqlite3")
        self.clock = Clock(offset=self._remembered_offset(), speed=options.speed)
        self.ids = Ids(self.store, self._seed())
        self.switches = Switches(self.store)
        self.permissions = Permissions(self.store, self.switches)
        self.faults = Faults(self.store, self.ids)
        self.limits = Limits(self.clock)
        self.signing_keys = SigningKeys(self.store, self.clock)
        self.events = Events(self.store, self.clock, self.ids, self.faults)
        self.uploads = Uploads(self.store, directory / "uploads")
        self.assets = Assets(self.store, directory / "media")
        self.sender = Sender(self.store, self.clock, self.ids, self.faults, self.switches)
        sender = EventSender(self.events, self.clock)
        self.tracks = Tracks(self.store, self.ids, self.switches, self.assets, sender)
        self.lifecycle = Lifecycle(
            self.store, self.clock, self.ids, self.switches, self.uploads, self.assets, sender, self.tracks
        )
        self.emptied_at = 0.0
        self.ffmpeg = find_ffmpeg() if options.ffmpeg else None
        self.packager = Packager(self.ffmpeg) if self.ffmpeg else None
        self.processing = Processing(
            self.store, self.clock, self.switches, self.assets, self.lifecycle, self.packager
        )
        self.engine = Engine(self.store, self.clock, self.switches, self.sender, self._timers())
        self.lifecycle.engine = self.tracks.engine = self.processing.engine = self.engine
        self.events.on_change = self.engine.wake

    def _timers(self) -> dict[str, Callable[[str, str, float], None]]:
        """What a timer that is due does, by its kind: with its subject, its detail and its moment."""
        life, tracks = self.lifecycle, self.tracks
        return {
            **self.processing.timers(),
            "expire_upload": lambda subject, _detail, _due: _ignore(life.expire_upload(subject)),
            "delete_asset": lambda subject, _detail, _due: _ignore(life.delete_asset(subject)),
            "caption": lambda subject, detail, _due: tracks.finish_caption(subject, detail),
        }

    def start(self, url: str) -> None:
        self.url = url
        for name, value in self.options.switches.items():
            self.switches.set(name, value)
        self._take_endpoints()
        self.processing.resume()
        self.engine.start()

    def _take_endpoints(self) -> None:
        """Those of this start; what an earlier start brought and this one does not is gone, what was added stays."""
        with self.store.transaction():
            given = [self.add_endpoint(endpoint) for endpoint in self.options.webhooks]
            for endpoint_id in self.store.setting("endpoints_of_start", []):
                if endpoint_id not in given:
                    self.remove_endpoint(endpoint_id)
            self.store.set_setting("endpoints_of_start", given)

    def stop(self) -> None:
        self.stopping.set()
        if self.packager is not None:
            self.packager.stop()
        self.engine.stop()
        self.sender.close()
        self.remember_clock()
        self.store.close()

    def reset(self) -> None:
        """Forgets uploads, assets, events, calls, faults and clock; keeps endpoints, signing keys and id counters."""
        with self.store.transaction():
            self.emptied_at = time.monotonic()
            self.store.empty()
            self.faults.clear()
            self.switches.reset(self.options.switches)
            self.permissions.reset()
            self.limits.reset()
        self.clock.return_to_real_time()
        self.remember_clock()
        for folder in (self.directory / "uploads", self.directory / "media"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
        self.engine.wake()

    def add_endpoint(self, endpoint: Endpoint) -> str:
        """Adds a webhook address; one that is known already keeps its id and gets the new secret."""
        with self.store.transaction():
            known = self.store.one(
                "SELECT id FROM endpoints WHERE url = ? AND env = ?", endpoint.url, endpoint.env
            )
            if known is not None:
                self.store.run("UPDATE endpoints SET secret = ? WHERE id = ?", endpoint.secret, known["id"])
                return str(known["id"])
            endpoint_id = self.ids.new("endpoint")
            self.store.run(
                "INSERT INTO endpoints (id, env, url, secret, created_at) VALUES (?,?,?,?,?)",
                endpoint_id, endpoint.env, endpoint.url, endpoint.secret, self.clock.now(),
            )  # fmt: skip
            return endpoint_id

    def change_endpoint(self, endpoint_id: str, address: str, *, enabled: bool) -> None:
        sql = "UPDATE endpoints SET url = ?, enabled = ? WHERE id = ?"
        self.store.run(sql, address, int(enabled), endpoint_id)

    def endpoints(self, env: str | None = None) -> list[Doc]:
        sql = "SELECT * FROM endpoints WHERE (?1 IS NULL OR env = ?1) ORDER BY created_at, id"
        return [dict(row) for row in self.store.all(sql, env)]

    def remove_endpoint(self, endpoint_id: str, env: str | None = None) -> bool:
        with self.store.transaction():
            sql = "DELETE FROM endpoints WHERE id = ?1 AND (?2 IS NULL OR env = ?2)"
            return self.store.run(sql, endpoint_id, env) > 0

    def upload_url(self, upload: Upload) -> str:
        return f"{self.options.public_url or self.url}/upload/{upload.id}?token={upload.token}"

    def remember_clock(self) -> None:
        self.store.set_setting("clock_ahead", max(0.0, self.clock.ahead))

    def _remembered_offset(self) -> float:
        """Time never runs backwards, even after a kill: the newest row counts too."""
        newest = self.store.number(
            "SELECT max(at) FROM (SELECT max(created_at) AS at FROM events UNION ALL SELECT max(at) FROM calls)"
        )
        return max(0.0, float(self.store.setting("clock_ahead", 0.0)), newest - Clock.wall())

    def _seed(self) -> str:
        """The seed given, or the one of this state, or a new one that is kept with the state."""
        seed = self.options.seed or self.store.setting("seed") or secrets.token_hex(8)
        self.store.set_setting("seed", seed)
        return str(seed)


def _ignore(_happened: object) -> None:
    """A timer that comes too late has nothing to say."""
