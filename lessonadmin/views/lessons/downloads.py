"""A file as an answer: always to be saved, never shown, whatever it holds. Who may have it is asked before."""

import mimetypes

from flask import Response, stream_with_context
from werkzeug.datastructures import Headers

from lessonadmin.domain.lesson_files import contents
from lessonadmin.domain.models import LessonFile


def answer(file: LessonFile) -> Response:
    """The bytes are sent as they are read. A browser that would show or run one of them is told not to."""
    headers = Headers()
    headers.set("Content-Disposition", "attachment", filename=file.name)
    headers["Content-Length"] = str(file.size)
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Response(stream_with_context(contents.read(file)), headers=headers, mimetype=kind)
