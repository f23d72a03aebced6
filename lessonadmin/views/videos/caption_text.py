"""Where Mux fetches captions that a person wrote. What the address must prove is decided in `captions.text_address`."""

from flask import Blueprint, Response, abort

from lessonadmin.domain.captions import text_address

bp = Blueprint("caption_text", __name__)


@bp.get("/captions/<signed>")
def show(signed: str) -> Response:
    text = text_address.text_at(signed)
    if text is None:
        abort(404)
    return Response(text, mimetype="text/vtt")
