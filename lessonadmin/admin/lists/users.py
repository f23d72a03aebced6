"""Accounts, for admins only: invite and make, name and address, role, passwords, state, transfer of content, deletion."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from flask import flash, make_response, redirect, request, url_for
from sqlalchemy import ColumnElement
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.admin.framework import filters
from lessonadmin.admin.framework.base import act_and_return
from lessonadmin.admin.framework.cells import cell, of_row, with_details
from lessonadmin.admin.framework.routes import expose
from lessonadmin.admin.framework.table import SavedView
from lessonadmin.admin.lists.people import ACCOUNT, PeopleList, has, last_sign_in
from lessonadmin.db import transaction
from lessonadmin.domain.account_life import deletion, forgotten_password, invitations, link_mail
from lessonadmin.domain.accounts import administration, handover, passwords, sessions, tokens, users
from lessonadmin.domain.errors import Invalid, Missing, Problem
from lessonadmin.domain.models import User
from lessonadmin.domain.models.accounts import ROLES, STAFF, LinkKind
from lessonadmin.domain.notifications import delivery
from lessonadmin.domain.second_factor import factors, reset
from lessonadmin.domain.videos import withdrawal
from lessonadmin.text.ids import as_id
from lessonadmin.text.plurals import plural

ROLE_WORDS = tuple((role, role.capitalize()) for role in ROLES)
ROLE_TABS = (
    ("student", "Students"),
    ("instructor", "Instructors"),
    ("support", "Support"),
    ("admin", "Admins"),
)


def _of_role(role: str) -> ColumnElement[bool]:
    return User.role == role


class UserView(PeopleList):
    slug, icon = "user", "people"
    offers = frozenset({"create_view", "details_view", "export"})
    list_template = "admin/user/list.html"
    column_list = ("email", "role", "active", "has", "last_sign_in", "created_at")
    nouns = ("account", "accounts")
    on_phones: ClassVar = {"role": "table__state", "active": "table__state", "last_sign_in": "table__time"}
    column_labels = {
        "email": "E-mail",
        "active": "State",
        "last_sign_in": "Last sign-in",
        "created_at": "Created",
    }
    column_sortable_list = ()
    column_formatters = {
        "email": ACCOUNT,
        "role": of_row(lambda row: cell("linked", row.role.capitalize(), None)),
        "active": of_row(lambda row: cell("account_state", row.state)),
        "has": with_details(has),
        "last_sign_in": with_details(last_sign_in),
    }
    column_export_list = ("id", "email", "name", "role", "active", "created_at")
    column_filters = (
        *filters.choice("Role", User.role, ROLE_WORDS),
        *filters.flag("Temporary password", User.password_temporary_until.is_not(None)),
        *filters.flag("Invited", User.invited_at.is_not(None)),
        *filters.flag("Disabled", lambda: ~User.active),
        *filters.flag("Second step", lambda: ~factors.has_none()),
    )
    saved_views = (
        *(SavedView(role, plural, partial(_of_role, role)) for role, plural in ROLE_TABS),
        SavedView("staff", "Staff", lambda: User.role.in_(STAFF)),
        SavedView("one-step", "No second step", factors.are_missing),
        SavedView("disabled", "Disabled", lambda: ~User.active),
    )

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        if request.method == "GET":
            return self._new_page()
        form = request.form
        invites = form.get("how") == "invite"
        password, secret = "" if invites else passwords.made_up(), None
        try:
            with transaction(auth.current_actor()):
                if invites:
                    user, secret = invitations.invite(
                        email=form.get("email", ""), role=form.get("role", ""), name=form.get("name", "")
                    )
                else:
                    user = users.create_user(
                        email=form.get("email", ""),
                        role=form.get("role", ""),
                        name=form.get("name", ""),
                        password=password,
                        temporary=True,
                    )
        except Problem as problem:
            if not isinstance(problem, Invalid):
                problem = Invalid.field("email", problem.message)
            return make_response(self._new_page(problem), 400)
        if invites and secret is None:
            flash(f"{user.email} is invited by mail.", "success")
            return redirect(url_for(".details_view", id=user.id))
        return self._page(user, password=password, made=True, link=self._link("invitation", secret))

    def _new_page(self, problem: Problem | None = None) -> str:
        return str(
            self.render(
                "admin/user/new.html",
                problem=problem,
                typed=request.form,
                roles=ROLE_WORDS,
                mail_on=delivery.is_on(),
            )
        )

    @staticmethod
    def _link(kind: LinkKind, secret: str | None) -> str:
        """What an admin hands over where no mail can be sent; readable this once."""
        return link_mail.address_of(kind, secret) if secret else ""

    @expose("/details/")
    def details_view(self) -> Any:
        return self._page(self._user(request.args.get("id", "")))

    def _user(self, text: str) -> User:
        found = self.get_one(text)
        if found is None:
            raise Missing
        return found  # type: ignore[no-any-return]

    def _page(
        self,
        user: User,
        *,
        password: str = "",
        made: bool = False,
        link: str = "",
        problem: Problem | None = None,
        taker: User | None = None,
    ) -> Any:
        html = self.render(
            "admin/user/details.html",
            user=user,
            has=handover.preview(user.id),
            losses=withdrawal.preview(user),
            open_sessions=sessions.open_ones(user),
            tokens=tokens.live(user),
            factors=factors.of(user.id),
            own=user.id == auth.current_user().id,
            roles=ROLE_WORDS,
            password=password,
            made=made,
            link=link,
            invitation=invitations.state_of(user),
            mail_on=delivery.is_on(),
            problem=problem,
            taker=taker,
        )
        return make_response(str(html), 400 if problem is not None else 200)

    @expose("/role", methods=("POST",))
    def role_view(self) -> Any:
        role = request.form.get("role", "")
        return self._done(lambda user: administration.set_role(auth.current_user(), user.id, role), "The role is changed; they have to sign in again.")  # fmt: skip

    @expose("/active", methods=("POST",))
    def active_view(self) -> Any:
        active = request.form.get("active") == "1"
        said = "The account is enabled." if active else "The account is disabled and signed out everywhere."
        return self._done(lambda user: administration.set_active(auth.current_user(), user.id, active), said)

    @expose("/password", methods=("POST",))
    def password_view(self) -> Any:
        made: list[str] = []

        def reset(user: User) -> None:
            made.append(administration.reset_password(auth.current_user(), user.id)[1])

        answer = self._done(reset, "")
        return self._page(self._user(request.form.get("id", "")), password=made[0]) if made else answer

    @expose("/second-factor/reset", methods=("POST",))
    def second_factor_view(self) -> Any:
        said = "The second step is removed, and they are signed out everywhere."
        return self._done(lambda user: reset.reset(auth.current_user(), user.id), said)

    @expose("/link", methods=("POST",))
    def link_view(self) -> Any:
        """A link to choose a new password: by mail, or shown once to be handed over."""
        return self._with_link(
            "password_reset",
            lambda user: forgotten_password.make_link(auth.current_user(), user),
            "A mail with a link is sent to them.",
        )

    @expose("/invitation", methods=("POST",))
    def invitation_view(self) -> Any:
        """Send it again, or withdraw it."""
        by = auth.current_user()
        if request.form.get("withdraw"):
            return self._done(lambda user: invitations.withdraw(by, user), "The invitation is withdrawn.")
        return self._with_link(
            "invitation", lambda user: invitations.send_again(by, user), "The invitation is sent again."
        )

    def _with_link(self, kind: LinkKind, make: Callable[[User], str | None], said: str) -> Any:
        made: list[str] = []

        def act(user: User) -> None:
            made.extend(filter(None, [make(user)]))

        answer = self._done(act, said)
        if not made:
            return answer
        return self._page(self._user(request.form.get("id", "")), link=self._link(kind, made[0]))

    @expose("/identity", methods=("POST",))
    def identity_view(self) -> Any:
        """Name and address of another person."""
        by, form = auth.current_user(), request.form

        def change(user: User) -> None:
            administration.rename(by, user.id, form.get("name", ""))
            administration.set_email(by, user.id, form.get("email", ""))

        return self._done(change, "Name and address are saved. If they changed, the person is notified.")

    @expose("/delete", methods=("POST",))
    def remove_account_view(self) -> Any:
        """Deletes the account for good, after its address was typed."""
        user = self._user(request.form.get("id", ""))
        back_to = url_for(".index_view")
        if request.form.get("typed", "").strip().lower() != user.email.lower():
            problem = Invalid.field("typed", "Type the address of the account to confirm.")
            return self._page(user, problem=problem)
        if deletion.obstacle(user) is not None:
            return self._done(lambda one: deletion.delete_other(auth.current_user(), one.id), "")
        reason = request.form.get("reason", "").strip() or None
        return act_and_return(
            lambda: deletion.delete_other(auth.current_user(), user.id),
            "The account is deleted.",
            back_to=back_to,
            reason=reason,
        )

    @expose("/tokens/revoke", methods=("POST",))
    def tokens_view(self) -> Any:
        """One token that the form names, or all of them."""
        named = request.form.get("token_id", "")
        token_id = as_id(named)
        if named and token_id is None:
            raise Missing
        by = auth.current_user()
        if token_id is not None:
            return self._done(lambda user: administration.revoke_token(by, user.id, token_id), "The token no longer opens anything.")  # fmt: skip
        return self._done(lambda user: administration.revoke_tokens(by, user.id), "No token of theirs opens anything any more.")  # fmt: skip

    @expose("/handover", methods=("POST",))
    def handover_view(self) -> Any:
        user = self._user(request.form.get("id", ""))
        to = users.find_by_email(request.form.get("to", ""))
        reason = request.form.get("reason", "").strip() or None
        try:
            if to is None:
                raise Invalid.field("to", "No account has this e-mail address.")
            if request.form.get("ask"):
                return self._page(user, taker=handover.taker_for(user, to))
            with transaction(auth.current_actor(reason=reason)):
                done = handover.hand_over(from_id=user.id, to_id=to.id)
        except Missing:
            raise
        except Problem as problem:
            return self._page(user, problem=problem)
        lost = f" {plural(done.uploads, 'upload')} that had not arrived {'was' if done.uploads == 1 else 'were'} cancelled." if done.uploads else ""  # fmt: skip
        flash(f"{plural(done.lessons, 'lesson')} and {plural(done.courses, 'course')} now belong to {to.email}.{lost}", "success")  # fmt: skip
        return redirect(url_for(".details_view", id=user.id))

    def _done(self, act: Callable[[User], Any], said: str) -> Response:
        """Act on the account that the form names, and back to its page."""
        user = self._user(request.form.get("id", ""))
        reason = request.form.get("reason", "").strip() or None
        back_to = url_for(".details_view", id=user.id)
        return act_and_return(lambda: act(user), said, back_to=back_to, reason=reason)
