"""The background thread: runs timers and hands due deliveries to senders, in the order of simulated time.

A hanging receiver holds up only its own uploads: attempts for one endpoint run side by side, those of one upload one
after the other.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from muxsim.clock import Clock
from muxsim.store import Store
from muxsim.switches import Switches
from muxsim.webhooks.delivery import AT_ONCE, Sender

MAX_IDLE_SECONDS = 30.0
log = logging.getLogger("muxsim")


class Engine:
    """Wakes when something is due, when it is woken, and when the clock jumps."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        switches: Switches,
        sender: Sender,
        timers: dict[str, Callable[[str, str, float], None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._switches = switches
        self._sender = sender
        self._timers = timers
        self._wake = threading.Event()
        self._stop = False
        self._busy: set[tuple[str, str]] = set()
        self._busy_lock = threading.Lock()
        self._jobs = 0
        self._thread = threading.Thread(target=self._run, name="muxsim-engine", daemon=True)
        self._pool = ThreadPoolExecutor(max_workers=4 * AT_ONCE, thread_name_prefix="muxsim-send")
        self._worker = ThreadPoolExecutor(max_workers=2, thread_name_prefix="muxsim-work")
        clock.on_jump(self.wake)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._worker.shutdown(wait=True, cancel_futures=True)
        # An attempt that waits for a hanging receiver is left to its time-out: it can change nothing any more.
        self._pool.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        self._wake.set()

    def in_background(self, job: Callable[[], None]) -> None:
        """Runs slow work (packaging a video) on one of two threads."""
        with self._busy_lock:
            self._jobs += 1
        self._worker.submit(self._guarded, job)

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            log.exception("background work failed")
        finally:
            with self._busy_lock:
                self._jobs -= 1
            self.wake()

    def after(self, seconds: float, kind: str, subject: str, detail: str = "") -> None:
        self.at(self._clock.now() + seconds, kind, subject, detail)

    def at(self, due: float, kind: str, subject: str, detail: str = "") -> None:
        self._store.run(
            "INSERT INTO timers (due, kind, subject, detail) VALUES (?,?,?,?)", due, kind, subject, detail
        )
        self.wake()

    def forget(self, subject: str, kind: str | None = None) -> None:
        self._store.run("DELETE FROM timers WHERE subject = ?1 AND (?2 IS NULL OR kind = ?2)", subject, kind)

    def idle(self) -> bool:
        """Nothing is due, under way or being packaged (what lies in the future does not count)."""
        paused = self._switches["deliveries_paused"]
        timers = "SELECT count(*) FROM timers WHERE due <= ?"
        deliveries = "SELECT count(*) FROM deliveries WHERE status IN ('pending', 'held') AND due <= ?"
        # Both locks, in the order of a timer that hands on slow work: between two looks one thing could become another.
        with self._store.lock, self._busy_lock:
            now = self._clock.now()
            if self._busy or self._jobs or self._store.number(timers, now):
                return False
            return paused or not self._store.number(deliveries, now)

    def _run(self) -> None:
        while not self._stop:
            self._wake.clear()
            try:
                self._run_timers()
                nap = self._send_due()
            except Exception:
                log.exception("the engine failed")
                nap = 1.0
            self._wake.wait(min(nap, MAX_IDLE_SECONDS))

    def _run_timers(self) -> None:
        while not self._stop:
            with self._store.transaction():
                timer = self._store.one(
                    "SELECT * FROM timers WHERE due <= ? ORDER BY due, seq LIMIT 1", self._clock.now()
                )
                if timer is None:
                    return
                self._store.run("DELETE FROM timers WHERE seq = ?", timer["seq"])
                self._timers[timer["kind"]](timer["subject"], timer["detail"], timer["due"])

    def _send_due(self) -> float:
        now = self._clock.now()
        paused = self._switches["deliveries_paused"]
        due = [] if paused else self._store.all(
            "SELECT seq, endpoint_id, lane FROM deliveries WHERE status IN ('pending', 'held') AND due <= ?"
            " ORDER BY due, seq LIMIT 1000", now,
        )  # fmt: skip
        with self._busy_lock:
            load: dict[str, int] = {}
            for endpoint_id, _ in self._busy:
                load[endpoint_id] = load.get(endpoint_id, 0) + 1
            for row in due:
                key = (row["endpoint_id"], row["lane"])
                if key in self._busy or load.get(row["endpoint_id"], 0) >= AT_ONCE:
                    continue
                self._busy.add(key)
                load[row["endpoint_id"]] = load.get(row["endpoint_id"], 0) + 1
                self._pool.submit(self._send, key, row["seq"])
        return self._until_next(now, paused)

    def _send(self, key: tuple[str, str], seq: int) -> None:
        try:
            self._sender.attempt(seq)
        except Exception:
            if not self._stop:
                log.exception("a delivery failed unexpectedly")
        finally:
            with self._busy_lock:
                self._busy.discard(key)
            self.wake()

    def _until_next(self, now: float, paused: bool) -> float:
        moments = [self._store.one("SELECT min(due) FROM timers")]
        if not paused:
            moments.append(
                self._store.one(
                    "SELECT min(due) FROM deliveries WHERE status IN ('pending', 'held') AND due > ?", now
                )
            )
        ahead = [row[0] - now for row in moments if row is not None and row[0] is not None]
        return max(0.0, self._clock.real_seconds(min(ahead))) if ahead else MAX_IDLE_SECONDS
