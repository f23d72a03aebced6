"""The list of lessons: filtered, searched, sorted, and refreshed while a video in it is on its way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain import attention, thumbnails
from lessonadmin.domain.batches import preview, registry
from lessonadmin.domain.lessons import worklist
from lessonadmin.domain.models import User
from lessonadmin.domain.videos import video_status
from lessonadmin.views.lessons.blueprint import bp
from lessonadmin.views.videos import card
from lessonadmin.web import address_numbers, fragments, headers

# a list costs more than one video, and is looked at for less
LIST_POLL_MS = 3000
MAX_QUERY_LENGTH = 2000


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
        **_bulk_actions(user, page, query),
    )
    return fragments.answer(body, name="list") if fragments.wanted() else make_response(body)


def _query() -> worklist.Query:
    return replace(_read(request.args), page=address_numbers.page(worklist.LAST_PAGE))


def query_of(text: str) -> worklist.Query:
    """What a query string of the list asks for, all its pages together."""
    return _read(dict(parse_qsl(text[:MAX_QUERY_LENGTH])))


def _read(args: Mapping[str, str]) -> worklist.Query:
    return worklist.Query(
        state=worklist.read_state(args.get("state", "")),
        q=args.get("q", "")[:200],
        sort=worklist.read_sort(args.get("sort", "")),
    )


def _bulk_actions(user: User, page: worklist.Page, query: worklist.Query) -> dict[str, Any]:
    """What can be done with rows that are ticked. Staff tick rows in the panel."""
    if user.is_staff:
        return {}
    actions = registry.of_owners("lessons")
    useful = preview.useful_of_many("lesson", [lesson.id for lesson in page.lessons])
    unknown = tuple(
        one.name for one in actions if not one.offered
    )  # it is told by what is asked for, or by the preview
    return {
        "actions": [(one.name, f"{one.label}…" if one.asks else one.label) for one in actions],
        "useful": {lesson.id: useful.get(lesson.id, ()) + unknown for lesson in page.lessons},
        "matching": urlencode({"state": query.state, "q": query.q}),
    }


def _link(**changes: object) -> str:
    """This list with other choices; what is not named stays, and the list starts at its first page."""
    query = _query()
    chosen: dict[str, Any] = {"state": query.state, "q": query.q, "sort": query.sort, **changes}
    return url_for("lessons.index", **{name: value for name, value in chosen.items() if value not in ("", 1)})
