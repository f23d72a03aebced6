"""The bytes of one request as they come, and whether it is whole.

Decides only when a request is given to a thread. What it says is decided by gunicorn's parser alone, which reads the same
bytes: so the two cannot disagree about where a request ends. A request that is not clear in here (two lengths, unknown
codings) counts as whole, without a body, and the parser refuses it.
"""

import re
from http import HTTPStatus

from lessonadmin.web_server import limits

HEAD_END = b"\r\n\r\n"
MAX_CHUNKED_BYTES = 2 * limits.MAX_BODY_BYTES  # the sizes between the chunks count too
FIELD = re.compile(
    rb"^(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.I | re.M
)
LENGTH = re.compile(rb"[0-9]{1,18}")
CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


class Incoming:
    """The request that `buffer` begins with. It is given to a thread when `whole`, or answered with `refusal`."""

    def __init__(self, buffer: bytes = b"") -> None:
        self.buffer = bytearray()
        self.whole = False
        self.refusal: HTTPStatus | None = None
        self.expects_continue = False
        self.body_due = 0  # bytes, at most
        self.without_body = False  # it has one, which is not read: the connection ends with the answer
        self._head_end = -1
        self._chunk_at = -1  # where the next chunk begins, if the body comes in chunks
        if buffer:
            self.add(buffer)

    @property
    def head_is_whole(self) -> bool:
        return self._head_end >= 0

    def add(self, piece: bytes) -> None:
        searched = max(0, len(self.buffer) - len(HEAD_END) + 1)
        self.buffer += piece
        if not self.head_is_whole:
            self._find_head(searched)
        if self.head_is_whole and not self.whole:
            self._find_body_end()

    def _find_head(self, searched: int) -> None:
        found = self.buffer.find(HEAD_END, searched, limits.MAX_HEAD_BYTES)
        if found >= 0:
            self._head_end = found + len(HEAD_END)
            self._read_head(bytes(self.buffer[: self._head_end]))
        elif len(self.buffer) > limits.MAX_HEAD_BYTES:
            self.refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

    def _read_head(self, head: bytes) -> None:
        fields: dict[bytes, list[bytes]] = {}
        for name, value in FIELD.findall(head):
            fields.setdefault(name.lower(), []).append(value.lower())
        lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
        self.expects_continue = fields.get(b"expect") == [b"100-continue"]
        if len(codings) == 1 and _ends_in_chunks(codings[0]) and not lengths:
            self._chunk_at, self.body_due = self._head_end, MAX_CHUNKED_BYTES
        elif len(lengths) == 1 and not codings and LENGTH.fullmatch(lengths[0]):
            self.body_due = int(lengths[0])
            self.whole = self.without_body = self.body_due > limits.MAX_BODY_BYTES
        else:
            self.whole, self.without_body = True, bool(lengths or codings)

    def _find_body_end(self) -> None:
        if self._chunk_at < 0:
            self.whole = len(self.buffer) >= self._head_end + self.body_due
        else:
            self._find_last_chunk()

    def _find_last_chunk(self) -> None:
        while self._chunk_at <= len(self.buffer):
            line_end = self.buffer.find(b"\r\n", self._chunk_at)
            if line_end < 0:
                break
            size = bytes(self.buffer[self._chunk_at : line_end]).partition(b";")[0].rstrip(b" \t")
            if not CHUNK_SIZE.fullmatch(size):
                self.refusal = HTTPStatus.BAD_REQUEST
                return
            if int(size, 16) == 0:
                self.whole = self.buffer.find(HEAD_END, line_end) >= 0
                break
            self._chunk_at = line_end + 2 + int(size, 16) + 2
        if not self.whole and max(len(self.buffer), self._chunk_at) > self._head_end + MAX_CHUNKED_BYTES:
            self.refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        elif not self.whole and len(self.buffer) - self._chunk_at > limits.MAX_HEAD_BYTES:
            self.refusal = HTTPStatus.BAD_REQUEST  # a line or trailers without an end


def _ends_in_chunks(codings: bytes) -> bool:
    return codings.rpartition(b",")[2].strip(b" \t") == b"chunked"
