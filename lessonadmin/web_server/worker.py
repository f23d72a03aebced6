"""gunicorn's worker for the Procfile: `--worker-class lessonadmin.web_server.worker.Worker`.

The loop, one thread, reads and writes on all connections and never waits for one of them; a request is given to a thread when it has come
whole (`incoming`), and its answer is computed in turns (`exchange`). So slow clients hold connections only, of which a process has
`--worker-connections`. A connection that takes longer than `limits` allows is answered 408 and ended.

On SIGTERM no connection is accepted any more but those that the system had taken; requests that have begun to come are answered, within gunicorn's `--graceful-timeout`.
The configuration's hooks around requests and gunicorn's access log are not served: the application writes a line for each request.
"""

import logging
import os
import resource
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.errors import ConfigError
from gunicorn.workers.base import Worker as GunicornWorker
from gunicorn.workers.gthread import PollableMethodQueue

from lessonadmin.web_server import exchange, limits, thread_pools
from lessonadmin.web_server.connection import Connection, State
from lessonadmin.web_server.exchange import Configuration, Exchange
from lessonadmin.web_server.incoming import Incoming
from lessonadmin.web_server.shared_load import SharedLoad

log = logging.getLogger(__name__)

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
TICK_SECONDS = 0.5
LEFT_TO_OTHERS_SECONDS = 0.002
OTHER_FILES = 200  # of the process: tables of logs, metrics, PostgreSQL, Redis, Mux
WAITING = frozenset({State.IDLE, State.HEAD, State.BODY})
MAX_WEBHOOKS_TOGETHER = 64
Started = tuple[Connection, Exchange]
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _max_connections(wanted: int) -> int:
    """Fewer where the system allows the process fewer open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(1, min(wanted, files - OTHER_FILES))


LOAD = SharedLoad()  # made once, in the process that the others are forked from


class Worker(GunicornWorker):  # type: ignore[misc]  # gunicorn has no types
    """One web process."""

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            raise ConfigError("This worker speaks no TLS: a proxy in front of web does.")

    def init_process(self) -> None:
        self.connections: set[Connection] = set()
        self.large_bytes = 0
        self.max_connections = _max_connections(self.cfg.worker_connections)
        self.accepting = False
        self.accepts_from = 0.0
        self.was_left_to_others = False
        self.expires_at = 0.0
        self.selector = selectors.DefaultSelector()
        self.calls = PollableMethodQueue()  # from the threads to the loop
        self.calls.init()
        self.configuration = Configuration(self.cfg)
        self.pools = thread_pools.ThreadPools(self.cfg.threads)
        self.webhooks: deque[Started] = deque()  # whole, and waiting for one of their threads
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.alive = False
        self.calls.defer(lambda: None)

    # the loop

    def run(self) -> None:
        self.selector.register(self.calls.fileno(), READ, self.calls.run_callbacks)
        while self.alive and self.ppid == os.getppid():
            self._accept_more(time.monotonic() >= self.accepts_from)
            self._tick()
        self._stop()

    def _stop(self) -> None:
        self.alive = False
        self._accept_more(False)
        for listener in self.sockets:
            # What the system has accepted already would be reset with the port.
            # No more than can wait there: clients that go on coming must not keep this process from ending.
            for _ in range(self.cfg.backlog):
                if not self._accepted(listener):
                    break
            listener.close()
        began = time.monotonic()
        while self.connections and time.monotonic() < began + self.cfg.graceful_timeout:
            self._hurry_idle(began + limits.STOP_LINGER_SECONDS)
            self._tick()

    def _hurry_idle(self, deadline: float) -> None:
        for one in self.connections:
            if one.state is State.IDLE:
                one.deadline = min(one.deadline, deadline)

    def _tick(self) -> None:
        self.notify()
        for key, _ in self.selector.select(self._seconds_to_wait()):
            if isinstance(key.data, Connection):
                self._guarded(self._serve, key.data)
            else:
                key.data(key.fileobj)
        if self.webhooks:
            self.pools.submit(thread_pools.WEBHOOKS, self._webhooks_in_thread)
        now = time.monotonic()
        if now >= self.expires_at:
            self.expires_at = now + TICK_SECONDS
            self._say_load()
            for one in list(self.connections):
                if one.state is not State.BUSY and one.deadline < now:
                    self._guarded(self._expire, one)

    def _seconds_to_wait(self) -> float:
        if self.accepting or not self.alive:
            return TICK_SECONDS
        return min(max(self.accepts_from - time.monotonic(), 0.0), TICK_SECONDS)

    def _guarded(self, step: Callable[[Connection], None], one: Connection) -> None:
        """An error on one connection ends that connection only."""
        try:
            step(one)
        except Exception:
            log.exception("A connection ends with an error of the web server")
            self._close(one)

    def _accept_more(self, wanted: bool) -> None:
        if wanted == self.accepting:
            return
        self.accepting = wanted
        for listener in self.sockets:
            if wanted:
                listener.setblocking(False)
                self.selector.register(listener, READ, self._accept)
            else:
                self.selector.unregister(listener)

    def _accept(self, listener: Any) -> None:
        if not self._leaves_it_to_others():
            self._accepted(listener)

    def _accepted(self, listener: Any) -> bool:
        """Take one connection; False if there is none."""
        try:
            accepted, peer = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False  # another process was quicker, or the client has gone
        except OSError as error:
            log.error("No connection can be accepted: %s", error.strerror)  # too many open files
            if self.alive:
                self._pause(TICK_SECONDS)
            return False
        if len(self.connections) >= self.max_connections:
            self._close_nearest_to_its_end()
        one = Connection(accepted, peer, listener.getsockname())
        self.connections.add(one)
        self._say_load()
        one.wait_for(State.IDLE, self.cfg.keepalive)
        self._watch(one, READ)
        return True

    def _leaves_it_to_others(self) -> bool:
        """Once, and for a moment: what is still there then is accepted."""
        leaves = not self.was_left_to_others and LOAD.another_has_fewer(self.age, len(self.connections))
        self.was_left_to_others = leaves
        if leaves:
            self._pause(LEFT_TO_OTHERS_SECONDS)
        return leaves

    def _say_load(self) -> None:
        if self.alive:  # else no other leaves it anything
            LOAD.say(self.age, len(self.connections))

    def _pause(self, seconds: float) -> None:
        self.accepts_from = time.monotonic() + seconds
        self._accept_more(False)

    def _close_nearest_to_its_end(self) -> None:
        """Among those that wait for their client's request. Where all are being answered, new clients wait."""
        waiting = [one for one in self.connections if one.state in WAITING]
        if waiting:
            self._close(min(waiting, key=lambda one: one.deadline))
        else:
            self._pause(TICK_SECONDS)

    def _watch(self, one: Connection, events: int) -> None:
        if events == one.watched:
            return
        if not one.watched:
            self.selector.register(one.socket, events, one)
        elif not events:
            self.selector.unregister(one.socket)
        else:
            self.selector.modify(one.socket, events, one)
        one.watched = events

    def _serve(self, one: Connection) -> None:
        if one.state is State.SENDING:
            self._send(one)
        elif one.state is State.LINGERING:
            if not one.read():
                self._close(one)
        elif not self._is_busy(one):
            self._read(one)

    def _is_busy(self, one: Connection) -> bool:
        """Then what has come (the next request, or the client's end) is looked at after the answer."""
        with one.lock:
            if one.state is not State.BUSY:
                return False
            self._watch(one, 0)
            return True

    def _read(self, one: Connection) -> None:
        piece = one.read()
        if piece:
            one.take(piece)
            self._look(one)
        elif piece is not None:
            self._close(one)

    def _look(self, one: Connection) -> None:
        """Is the request whole, or must it be refused?"""
        incoming = one.incoming
        if incoming.refusal is not None:
            self._refuse(one, incoming.refusal)
        elif incoming.whole:
            self._begin(one)
        elif incoming.head_is_whole and not one.large_bytes:
            self._expect_body(one)

    def _expect_body(self, one: Connection) -> None:
        if one.incoming.body_due > limits.SMALL_BODY_BYTES:
            if self.large_bytes + one.incoming.body_due > limits.LARGE_BODIES_BYTES:
                return self._refuse(one, HTTPStatus.SERVICE_UNAVAILABLE)
            one.large_bytes = one.incoming.body_due
            self.large_bytes += one.large_bytes
        if one.incoming.expects_continue:
            one.incoming.expects_continue = False
            one.outgoing.sendall(CONTINUE)
            one.outgoing.flush()
        return None

    def _begin(self, one: Connection) -> None:
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        data = bytes(one.incoming.buffer)
        one.exchange = Exchange(self.configuration, data, one.peer, one.own, one.outgoing)
        one.group = thread_pools.group_of(data[: data.find(b"\r\n")])
        one.keeps = self.alive and not one.incoming.without_body
        one.incoming = Incoming()
        self._turn(one, one.exchange)

    def _turn(self, one: Connection, exchange: Exchange) -> None:
        one.state = State.BUSY
        if one.group == thread_pools.WEBHOOKS:
            self.webhooks.append((one, exchange))
        else:
            self.pools.submit(one.group, partial(self._in_thread, one, exchange))

    def _webhooks_in_thread(self) -> None:
        """All that wait: each is begun before the first answer is taken, since their answers wait for one commit."""
        taken: list[Started] = []
        with suppress(IndexError):
            while len(taken) < MAX_WEBHOOKS_TOGETHER:
                taken.append(self.webhooks.popleft())
        if self.webhooks:
            self.pools.submit(thread_pools.WEBHOOKS, self._webhooks_in_thread)
        for one, begun in taken:
            thread_pools.survive(partial(begun.begin, self.wsgi, keep=one.keeps))
        for one, begun in taken:
            thread_pools.survive(partial(self._in_thread, one, begun))

    def _in_thread(self, one: Connection, exchange: Exchange) -> None:
        try:
            exchange.turn(self.wsgi, keep=one.keeps)
        finally:
            if not (self.alive and one.rest(self.cfg.keepalive)):
                self.calls.defer(self._guarded, self._after_turn, one)

    def _after_turn(self, one: Connection) -> None:
        if one.outgoing.broken:
            self._abandon(one)
        elif one.outgoing:
            one.wait_for(State.SENDING, limits.UNREAD_SECONDS)
            self._watch(one, WRITE)
        else:
            self._sent(one)

    def _send(self, one: Connection) -> None:
        if one.outgoing.flush():
            one.wait_for(State.SENDING, limits.UNREAD_SECONDS)
        if one.outgoing.broken:
            self._abandon(one)
        elif not one.outgoing:
            self._sent(one)

    def _sent(self, one: Connection) -> None:
        """All that there is of the answer has left."""
        exchange = one.exchange
        if exchange is not None and not exchange.ended:
            self._watch(one, 0)
            return self._turn(one, exchange)
        if exchange is None or not exchange.keeps:
            return self._linger(one)
        self._release(one)
        one.exchange = None
        one.wait_for(State.IDLE, self.cfg.keepalive)
        self._watch(one, READ)
        if exchange.rest:
            one.take(exchange.rest)
            self._look(one)
        return None

    # how connections end

    def _refuse(self, one: Connection, status: HTTPStatus) -> None:
        exchange.refuse(one.outgoing, status)
        one.exchange = None
        one.wait_for(State.SENDING, limits.LINGER_SECONDS)
        self._watch(one, WRITE)

    def _expire(self, one: Connection) -> None:
        if one.state in (State.HEAD, State.BODY):
            self._refuse(one, HTTPStatus.REQUEST_TIMEOUT)
        elif one.state is State.SENDING:
            self._abandon(one)
        else:
            self._close(one)

    def _abandon(self, one: Connection) -> None:
        """The client does not read: a thread closes the answer, which may hold something."""
        if one.exchange is not None and not one.exchange.ended:
            self.pools.submit(one.group, one.exchange.abandon)
        self._close(one)

    def _linger(self, one: Connection) -> None:
        """Closing at once would reset a connection on which something is still coming, and the answer would be lost."""
        self._release(one)
        one.half_close()
        one.wait_for(State.LINGERING, limits.LINGER_SECONDS)
        self._watch(one, READ)

    def _close(self, one: Connection) -> None:
        self._release(one)
        self._watch(one, 0)
        self.connections.discard(one)
        self._say_load()
        one.socket.close()

    def _release(self, one: Connection) -> None:
        self.large_bytes -= one.large_bytes
        one.large_bytes = 0
