"""Pages go out compressed where no secret can be guessed from their length (docs/decisions/20-pages-go-out-compressed.md).

Compressed is only: a page (HTML) that is whole, at least SMALLEST bytes long, read (not sent) by a browser that says of the
request that no other site has caused it. An attack makes a browser ask for page after page and compares lengths, and it can
do so only from another site. Answers to forms stay as they are: only they show a new bearer token or a temporary password. Besides, each
page holds its token against forged requests under a new mask, and its length is blurred by a file name of random length that
browsers skip. An export that is streamed, a picture, JSON and an empty answer are left alone.
"""

import gzip
import io
import secrets

from flask import Flask, Response, request

SMALLEST = 1000
# of 1 to 9: see `bin/bench compression`
LEVEL = 5
BLUR_BYTES = 64
OUR_OWN = frozenset({"same-origin", "none"})
READ = frozenset({"GET", "HEAD"})


def init_app(app: Flask) -> None:
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype != "text/html" or request.endpoint == "static":
        return response
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    if _may_be_compressed(response):
        response.set_data(compressed(response.get_data()))
        response.content_encoding = "gzip"
    return response


def _may_be_compressed(response: Response) -> bool:
    """Is the body there, worth it, understood by who asks, and safe?"""
    return (
        request.method in READ
        and request.headers.get("Sec-Fetch-Site") in OUR_OWN
        and request.accept_encodings["gzip"] > 0
        and not response.is_streamed
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and len(response.get_data()) >= SMALLEST
    )


def compressed(body: bytes, level: int = LEVEL) -> bytes:
    """As gzip. The name of a file, which browsers skip, is of random length."""
    blur = secrets.token_hex(BLUR_BYTES)[: secrets.randbelow(BLUR_BYTES)]
    packed = io.BytesIO()
    with gzip.GzipFile(blur, "wb", compresslevel=level, fileobj=packed, mtime=0) as file:
        file.write(body)
    return packed.getvalue()
