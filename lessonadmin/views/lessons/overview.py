"""The list of lessons: filtered, searched, sorted, and refreshed while a video in it is on its way."""

from typing import Any

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain import attention, thumbnails
from lessonadmin.domain.lessons import worklist
from lessonadmin.domain.videos import video_status
from lessonadmin.views.lessons.blueprint import bp
from lessonadmin.views.videos import card
from lessonadmin.web import address_numbers, fragments, headers

# a list costs more than one video, and is looked at for less
LIST_POLL_MS = 3000


@bp.get("")
def index() -> Response:
    headers.shows_pictures()
    query = _query()
    user = auth.current_user()
    page = worklist.page(user, query)
    shown = video_status.of_many(page.lessons)
    moving = any(not one.settled for one in shown.values())
    attempts = address_numbers.attempts()
    asks_again = moving and attempts < card.MAX_ATTEMPTS
    body = render_template(
        "lessons/list.html" if fragments.wanted() else "lessons/index.html",
        page=page,
        query=query,
        states=shown,
        needing=attention.why_many(page.lessons),
        thumbnail=thumbnails.thumbnail,
        next_ms=LIST_POLL_MS if asks_again else None,
        empty=page.total == 0 and not query.q and not query.state and not worklist.has_any(user),
        link=_link,
    )
    return fragments.answer(body, name="list") if fragments.wanted() else make_response(body)


def _query() -> worklist.Query:
    args = request.args
    return worklist.Query(
        state=worklist.read_state(args.get("state", "")),
        q=args.get("q", "")[:200],
        sort=worklist.read_sort(args.get("sort", "")),
        page=address_numbers.page(worklist.LAST_PAGE),
    )


def _link(**changes: object) -> str:
    """This list with other choices; what is not named stays, and the list starts at its first page."""
    query = _query()
    chosen: dict[str, Any] = {"state": query.state, "q": query.q, "sort": query.sort, **changes}
    return url_for("lessons.index", **{name: value for name, value in chosen.items() if value not in ("", 1)})
