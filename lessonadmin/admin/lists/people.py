"""People, for support: who they are, whether they can sign in, what they bought and have. Never their roles or passwords."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask import request, url_for
from sqlalchemy import ColumnElement
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework import filters
from lessonadmin.admin.framework.base import act_and_return
from lessonadmin.admin.framework.cells import cell, of_row, page_link, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView, TableView
from lessonadmin.domain.accounts import people, sessions, sign_in
from lessonadmin.domain.accounts.people import Figures
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import User
from lessonadmin.domain.querying import full_text
from lessonadmin.domain.second_factor import factors
from lessonadmin.text.ids import as_id
from lessonadmin.text.plurals import plural

Found = Mapping[uuid.UUID, Figures]


def last_sign_in(row: Any, found: Found) -> Any:
    return cell("moment", found[row.id].last_sign_in)


def has(row: Any, found: Found) -> str:
    """How much they have, in words; as far as it is counted."""
    figures = found[row.id]
    counts = ((figures.lessons, "lesson"), (figures.courses, "course"), (figures.purchases, "purchase"))
    return ", ".join(plural(count, one) for count, one in counts if count) or "–"


def _who(user: User) -> str:
    return user.name if user.is_deleted else cell("email", user.email)


# An account by its address, and its name below; the address that a deleted one has left says nothing.
ACCOUNT = page_link(_who, lambda row, _: [] if row.is_deleted else [row.name])


class PeopleList(TableView):
    """What the lists of people and of accounts have in common."""

    search_hint = "Name or e-mail"
    column_sortable_list = ()

    def found(self, text: str) -> ColumnElement[bool] | None:
        wanted = as_id(text)
        return User.id == wanted if wanted is not None else full_text.matches(User.search, text)

    def prepare(self, rows: Sequence[Any]) -> Found:
        return people.figures_of(row.id for row in rows)

    def name_of(self, row: Any) -> str:
        return str(row.name if row.is_deleted else row.email)


class PersonView(PeopleList):
    slug, icon = "person", "person"
    offers = frozenset({"details_view"})
    column_list = ("email", "active", "has", "last_sign_in", "created_at")
    nouns = ("person", "people")
    on_phones: ClassVar = {"active": "table__state", "last_sign_in": "table__time"}
    column_labels = {
        "email": "E-mail",
        "active": "State",
        "last_sign_in": "Last sign-in",
        "created_at": "Created",
    }
    column_formatters = {
        "email": ACCOUNT,
        "active": of_row(lambda row: cell("account_state", row.state)),
        "has": with_details(has),
        "last_sign_in": with_details(last_sign_in),
    }
    column_filters = (*filters.flag("Disabled", lambda: ~User.active),)
    saved_views = (SavedView("disabled", "Disabled", lambda: ~User.active),)

    @expose("/details/")
    def details_view(self) -> Any:
        user = self._user(request.args.get("id", ""))
        return self.render(
            "admin/person/details.html",
            user=user,
            factors=factors.of(user.id),
            figures=people.figures_of([user.id])[user.id],
            wrong=sign_in.wrong_tries(user.email),
            open_sessions=sessions.open_ones(user),
            purchases=people.purchases_of(user),
            counted_to=people.MAX_COUNTED,
        )

    @expose("/sessions/end", methods=("POST",))
    def sessions_view(self) -> Response:
        """One session that the form names, or all of them."""
        named = request.form.get("session_id", "")
        only = as_id(named)
        if named and only is None:
            raise Missing
        said = "The session is ended." if only else "Signed out everywhere."
        return self._done(lambda by, user_id: people.end_sessions(by, user_id, only=only), said)

    @expose("/unlock", methods=("POST",))
    def unlock_view(self) -> Response:
        return self._done(people.unlock_sign_in, "Sign-in is unlocked.")

    def _user(self, text: str) -> User:
        found = self.get_one(text)
        if found is None:
            raise Missing
        return found  # type: ignore[no-any-return]

    def _done(self, act: Callable[[User, uuid.UUID], Any], said: str) -> Response:
        user = self._user(request.form.get("id", ""))
        by = auth.current_user()
        reason = request.form.get("reason", "").strip()[:500] or None
        back_to = url_for(".details_view", id=user.id)
        return act_and_return(lambda: act(by, user.id), said, back_to=back_to, reason=reason)
