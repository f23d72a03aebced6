"""One request and its answer, computed by a thread in turns.

A turn ends when the answer is whole, when enough of it waits for its client, or when it has taken its time; the next turn may be
another thread's. So a client that reads slowly holds the answer's iterator and some memory, but no thread. Everything runs in a context
(`contextvars`) of the request's own, in which turns follow each other whatever thread they have.

What gunicorn's parser refuses is answered and not logged: its messages quote what came, and a request line holds a query.
"""

import contextvars
import logging
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors, wsgi
from gunicorn.http.parser import RequestParser

from lessonadmin.web_server import limits
from lessonadmin.web_server.outgoing import Outgoing

log = logging.getLogger(__name__)

STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}
PARSING = (errors.ParseException, errors.NoMoreData, StopIteration)
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def refuse(outgoing: Outgoing, status: HTTPStatus) -> None:
    """An answer of the web server, not of the application. The connection ends with it."""
    text = f"{status.phrase}\n"
    retry = "Retry-After: 5\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    outgoing.sendall(
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n{retry}"
        f"Content-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
    )


class Configuration:
    """gunicorn's, each setting looked up once: gunicorn itself searches for some twenty of them with every request."""

    def __init__(self, config: Any) -> None:
        self.__dict__.update({name: setting.get() for name, setting in config.settings.items()})
        self._config = config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._config, name)  # what is computed from settings


class Exchange:
    """`ended` with the answer; `keeps` says whether the connection goes on, with `rest` as the begin of its next request."""

    def __init__(self, config: Configuration, data: bytes, peer: Any, own: Any, outgoing: Outgoing) -> None:
        self._config = config
        self._parser = RequestParser(config, iter((data,)), peer)
        self._peer, self._own = peer, own
        self._outgoing = outgoing
        self._context = contextvars.Context()
        self._response: Any = None
        self._answer: Any = None
        self._is_begun = False
        self._pieces: Iterator[bytes] | None = None
        self.ended = False
        self.keeps = False
        self.rest = b""

    def begin(self, application: Application, *, keep: bool) -> None:
        """Call the application, once, and take nothing of its answer yet; `keep`: the connection may go on after this request."""
        if self._is_begun:
            return
        self._is_begun = True
        try:
            self._context.run(self._begin, application, keep)
        except Exception as error:
            self._fail(error)

    def turn(self, application: Application, *, keep: bool) -> None:
        """Begin, unless that is done, and go on until something must be waited for."""
        self.begin(application, keep=keep)
        if not self.ended:
            try:
                self._context.run(self._go_on)
            except Exception as error:
                self._fail(error)

    def abandon(self) -> None:
        """The client has gone: the answer learns of it and gives back what it holds."""
        self.keeps = False
        if not self.ended:
            self.ended = True
            try:
                self._context.run(self._close_answer)
            except Exception:
                log.exception("An answer was not closed")

    def _begin(self, application: Application, keep: bool) -> None:
        request = next(self._parser)
        request._expected_100_continue = False  # the loop has said it, before the body came
        self._response, environ = wsgi.create(request, self._outgoing, self._peer, self._own, self._config)
        environ["wsgi.multithread"] = True
        del environ["wsgi.file_wrapper"]  # it writes into a socket by itself
        if not keep:
            self._response.force_close()
        self._answer = application(environ, self._response.start_response)

    def _go_on(self) -> None:
        until = time.monotonic() + limits.TURN_SECONDS
        if self._pieces is None:
            self._pieces = iter(self._answer)
        for piece in self._pieces:
            self._response.write(piece)
            if len(self._outgoing) >= limits.UNSENT_BYTES:
                self._outgoing.flush()
            if (
                self._outgoing.broken
                or len(self._outgoing) >= limits.UNSENT_BYTES
                or time.monotonic() > until
            ):
                self._outgoing.flush()
                return
        self._response.close()
        self._outgoing.flush()
        self._close_answer()
        self.ended = True
        self.keeps = not self._response.should_close() and self._parser.finish_body()
        self.rest = self._parser.unreader.take_buffered()

    def _close_answer(self) -> None:
        answer, self._answer = self._answer, None
        if hasattr(answer, "close"):
            answer.close()

    def _fail(self, error: Exception) -> None:
        """In the middle of an answer the connection just ends: the client sees that it is cut off."""
        if self._response is None and isinstance(error, PARSING):
            refuse(self._outgoing, STATUSES.get(type(error), HTTPStatus.BAD_REQUEST))
        else:
            log.error("A request was not answered", exc_info=error)
            if self._response is None or not self._response.headers_sent:
                refuse(self._outgoing, HTTPStatus.INTERNAL_SERVER_ERROR)
        self.abandon()
        self._outgoing.flush()
