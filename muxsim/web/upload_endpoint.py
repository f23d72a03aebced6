"""``/upload/<id>?token=``: where the bytes go. One PUT, or resumable chunks, streamed to disk as they come.

The protocol is the one upchunk speaks: ``Content-Range`` on each chunk, 308 with ``Range`` to go on, 200 at the end.
Bytes that are stored already are ignored when they come again, and bytes beyond a gap are refused, as Google's storage does.
"""

import hmac
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import ClientDisconnected

from muxsim.errors import MuxError, error_response, invalid, not_found
from muxsim.faults import Rule
from muxsim.videos.uploads import Upload
from muxsim.web import broken_answers
from muxsim.web.context import sim
from muxsim.web.every_call import record

blueprint = Blueprint("upload_endpoint", __name__)
GAP = (
    "Invalid request.  According to the Content-Range header, the upload offset is {} byte(s), "
    "which exceeds already uploaded size of {} byte(s)."
)
CHUNK_UNIT = 256 * 1024
PIECE = 256 * 1024
RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)\Z")
_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()


@dataclass(frozen=True)
class Part:
    """What a request says about its place in the file."""

    first: int
    last: int | None
    total: int | None
    asks_only: bool = False

    @property
    def is_final(self) -> bool:
        return self.last is not None and self.total is not None and self.last + 1 == self.total


@blueprint.route("/upload/<upload_id>", methods=["PUT", "OPTIONS"])
def put_bytes(upload_id: str) -> Response:
    g.began, g.upload_id = time.monotonic(), upload_id
    g.operation = "preflight" if request.method == "OPTIONS" else "put"
    upload = sim().uploads.get(upload_id)
    if request.method == "OPTIONS":
        return _with_cors(Response(status=204 if upload else 404), upload)
    g.rule = sim().faults.pick("upload", _facts(upload_id))
    broken = broken_answers.before(g.rule)
    if broken is None:
        try:
            broken = _receive(upload)
        except MuxError as error:
            broken = error.response()
    return _with_cors(broken, upload)


@blueprint.after_request
def _leave(response: Response) -> Response:
    rule = g.get("rule")
    origin = {
        name: value
        for name, value in response.headers.items()
        if name.lower().startswith(("access-", "range", "vary"))
    }
    response = broken_answers.after(rule, response)
    for name, value in origin.items():
        response.headers.setdefault(name, value)
    record("upload", response, operation=g.get("operation", "put"))
    return response


def _facts(upload_id: str) -> dict[str, object]:
    try:
        part = _part()
    except MuxError:
        part = Part(0, None, None)
    received = part.first // CHUNK_UNIT
    return {"operation": g.operation, "method": request.method, "upload_id": upload_id, "chunk": received}


def _with_cors(response: Response, upload: Upload | None) -> Response:
    allowed = upload.doc.get("cors_origin") if upload else None
    origin = request.headers.get("Origin")
    if allowed and (allowed == "*" or origin is None or origin.rstrip("/") == allowed.rstrip("/")):
        response.headers["Access-Control-Allow-Origin"] = "*" if allowed == "*" else (origin or allowed)
        response.headers["Access-Control-Allow-Methods"] = "PUT, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "content-range, content-type"
        response.headers["Access-Control-Max-Age"] = "3600"
        response.headers["Vary"] = "Origin"
        if sim().switches["expose_range"]:
            response.headers["Access-Control-Expose-Headers"] = "Range"
    return response


def _part() -> Part:
    """Where the bytes of this request belong."""
    header = request.headers.get("Content-Range")
    if header is None:
        return Part(0, None, request.content_length)
    match = RANGE.match(header.strip())
    if match is None:
        raise invalid("Content-Range is malformed.")
    first, last, total = match.groups()
    size = None if total == "*" else int(total)
    if first is None:
        return Part(0, None, size, asks_only=True)
    part = Part(int(first), int(last), size)
    if part.first > int(last) or (size is not None and int(last) >= size):
        raise invalid("Content-Range does not fit the size of the file.")
    if request.content_length is not None and request.content_length != int(last) - part.first + 1:
        raise invalid("Content-Range does not fit the length of the body.")
    if not part.is_final and (int(last) + 1 - part.first) % CHUNK_UNIT:
        raise invalid("Every chunk but the last must be a multiple of 256 KiB.")
    return part


def _receive(upload: Upload | None) -> Response:
    if upload is None:
        raise not_found()
    if not hmac.compare_digest(
        upload.token.encode(), request.args.get("token", "").encode("utf-8", "replace")
    ):
        raise MuxError(403, "The upload URL's token is missing or wrong.")
    part = _part()
    if upload.status in ("asset_created", "errored") and upload.asset_id:
        return Response(status=200)
    if upload.status != "waiting":
        raise _ended()
    limit = sim().switches["max_upload_mb"] * 1024 * 1024
    if limit and (part.total or 0) > limit:
        raise MuxError(413, "The file is too large.")
    with _lock_of(upload.id):
        present = sim().uploads.get(upload.id) or upload
        if present.status != "waiting":  # another request finished the file while this one waited
            return Response(status=200) if present.asset_id else _ended().response()
        return _store_part(present, part)


def _store_part(upload: Upload, part: Part) -> Response:
    if upload.total is not None and part.total is not None and upload.total != part.total:
        raise invalid("The size of the file changed between chunks.")
    received = sim().uploads.received(upload.id)
    if part.asks_only:
        whole = part.total is not None and received == part.total
        return _complete(upload) if whole else _go_on(received)
    if part.first > received:
        return _gap(part, received)
    received, intact = _write(upload, part, g.get("rule"))
    if not intact:
        return error_response(400, ["The connection ended before the chunk was complete."])
    plain = request.headers.get("Content-Range") is None
    if plain or (part.total is not None and received == part.total):
        return _complete(upload) if not _is(g.get("rule"), "final_308") else _go_on(received)
    return _go_on(received)


def _ended() -> MuxError:
    return MuxError(sim().switches["ended_upload_status"], "The direct upload has ended.")


def _gap(part: Part, received: int) -> Response:
    _read_to_the_end()  # a client that still writes would see a broken connection instead of the answer
    if sim().switches["gap"] == "308":
        return _go_on(received)
    return Response(GAP.format(part.first, received), status=503, content_type="text/plain; charset=utf-8")


def _read_to_the_end() -> None:
    with suppress(ClientDisconnected, OSError):
        while request.stream.read(PIECE):
            pass


def _write(upload: Upload, part: Part, rule: Rule | None) -> tuple[int, bool]:
    """Streams the body to its place. A lost chunk is read and thrown away; so is, usually, what is stored already."""
    lost, plain = _is(rule, "lost_chunk"), request.headers.get("Content-Range") is None
    path = sim().uploads.file_of(upload.id)
    if part.total is not None and upload.total is None and not plain:
        upload.total = part.total
        sim().uploads.save(upload)
    before = path.stat().st_size if path.exists() else 0
    known = 0 if plain or sim().switches["overlap"] == "overwrites" else before - part.first
    count, intact = 0, True
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.seek(part.first + known)
        try:
            while piece := request.stream.read(PIECE):
                fresh = piece[max(0, known - count) :]
                count += len(piece)
                if not lost:
                    file.write(fresh)
        except (ClientDisconnected, OSError):
            intact = False
        if request.content_length is not None and count < request.content_length:
            intact = False
        if plain:
            file.truncate(0 if not intact else part.first + count)
    return (before if lost else max(before, part.first + count)), intact


def _go_on(received: int) -> Response:
    response = Response(status=308)
    hide = _is(g.get("rule"), "no_range") or not sim().switches["range_header"]
    if received and not hide:
        response.headers["Range"] = f"bytes=0-{received - 1}"
    return response


def _complete(upload: Upload) -> Response:
    path = sim().uploads.file_of(upload.id)
    if not path.exists():
        path.touch()
    if sim().lifecycle.finish_upload(upload.id, has_file=True) is None:
        raise _ended()
    with _locks_lock:
        _locks.pop(upload.id, None)
    return Response(status=200)


def _is(rule: Rule | None, kind: str) -> bool:
    return rule is not None and rule.kind == kind


def _lock_of(upload_id: str) -> threading.Lock:
    with _locks_lock:
        return _locks.setdefault(upload_id, threading.Lock())
