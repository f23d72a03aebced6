"""The saved filters of a list: the menu beside its filters, and the post of that menu's forms.

Kept is what narrows a list (filters, search, view), as its query string; not how it is sorted, since an address names
columns by their place. A saved filter is a link to the list: what the list does not know in it any more, the list says.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework.base import act_and_return
from lessonadmin.admin.framework.routes import expose
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.support import saved_filters
from lessonadmin.text.ids import as_id
from lessonadmin.web import redirects

KEPT = frozenset({"search", "view"})


@dataclass(frozen=True)
class Offered:
    """One line of the menu. `current`: the list is narrowed by just this."""

    id: uuid.UUID
    name: str
    url: str
    current: bool


def narrowing(query: str) -> str:
    """The part of a list's query string that narrows it."""
    pairs = parse_qsl(query.removeprefix("?"))
    return urlencode([(name, value) for name, value in pairs if name.startswith("flt") or name in KEPT])


def _meant(query: str) -> frozenset[tuple[str, str]]:
    """The same whatever the order: the number of a filter in an address says only its place."""
    pairs = parse_qsl(query)
    return frozenset(
        (name.partition("_")[2] if name.startswith("flt") else name, value) for name, value in pairs
    )


class KeepsFilters:
    """For a TableView."""

    slug: str
    get_url: Callable[..., str]

    def offered_filters(self, query: str) -> list[Offered]:
        """The viewer's own, for the menu of a list with this query string."""
        now, address = _meant(narrowing(query)), self.get_url(".index_view")
        return [
            Offered(one.id, one.name, f"{address}?{one.query}", _meant(one.query) == now)
            for one in saved_filters.of(auth.current_user().id, self.slug)
        ]

    @expose("/saved-filters/", methods=("POST",))
    def saved_filters_view(self) -> Response:
        """Save the filter of `query` under a name, or rename or remove the one of `id`: `do` says which."""
        given, user_id = request.form, auth.current_user().id
        name, filter_id = given.get("name", ""), as_id(given.get("id"))
        query = narrowing(given.get("query", ""))
        acts: dict[str, tuple[Callable[[], Any], str]] = {
            "save": (lambda: saved_filters.save(user_id, self.slug, name, query), "The filter is saved."),
            "rename": (lambda: saved_filters.rename(user_id, filter_id, name), "The filter is renamed."),
            "remove": (lambda: saved_filters.remove(user_id, filter_id), "The saved filter is removed."),
        }
        if given.get("do") not in acts:
            raise Missing
        act, said = acts[given["do"]]
        return act_and_return(act, said, back_to=redirects.asked("url") or self.get_url(".index_view"))
