"""What every page of the panel is built on: Flask-Admin's views with their traps closed.

`PanelView` lists a table. Of the routes that Flask-Admin gives every list, a view has those that it offers; the others
are not there. Nothing here writes: what a view changes it changes by methods of its own. Odd addresses (a page of -1, a
filter that does not parse, an id that is no id) are answered as if they were empty or with 404, never with 500. Pages
are drawn by the panel's own templates: no script or style in the markup, nothing of Bootstrap.

    class LessonView(PanelView):
        slug, icon = "lesson", "lesson"          # endpoint admin_lesson at /admin/lesson/
        offers = frozenset({"export"})
        column_list = ("title", "status")
    panel.add_view(LessonView(Lesson, db, name="Lessons", category="Content"))

Not supported by the templates: inline editing (`column_editable_list`), modals and `inline_models`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import flash, redirect, request
from flask_admin import BaseView
from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import Form

from lessonadmin import auth
from lessonadmin.admin.framework import cells, csv_export, filter_form
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import transaction
from lessonadmin.domain.errors import Invalid, Missing, Problem

# What Flask-Admin would give every list, whether its pages lead there or not.
FLASK_ADMINS = frozenset(
    {
        "create_view",
        "edit_view",
        "details_view",
        "delete_view",
        "action_view",
        "export",
        "ajax_lookup",
        "ajax_update",
    }
)
LAST_PAGE = 1_000_000
MAX_SEARCH_LENGTH = 200
MAX_FILTER_LENGTH = 2000


def act_and_return(act: Callable[[], Any], said: str, *, back_to: str, reason: str | None = None) -> Response:
    """Act in one transaction of the signed-in user, and lead back to a page that says how it went.

    A rule that refuses is said there, too. What does not exist stays 404.
    """
    try:
        with transaction(auth.current_actor(reason=reason)):
            act()
    except Missing:
        raise
    except Problem as problem:
        flash(problem.sentences, "error")
    else:
        if said:
            flash(said, "success")
    return redirect(back_to)


class _Guarded:
    """Shown in the menu to those whom the guard lets in; the guard itself is asked before each request (`auth.GUARDS`)."""

    endpoint: str

    def is_accessible(self) -> bool:
        return auth.allows(self.endpoint)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Flask-Admin runs a view that raises TypeError a second time, in another way: an action would be done twice."""
        return fn(self, *args, **kwargs)


class PanelPage(_Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin's types are partial
    """A page of the panel that is not a list of rows: give it `slug`, `icon` and an exposed `index`."""

    slug = ""
    icon = ""

    def __init__(self, *, name: str, category: str | None = None) -> None:
        super().__init__(
            name=name,
            category=category,
            endpoint=f"admin_{self.slug}",
            url=f"/admin/{self.slug}",
            menu_icon_value=self.icon,
        )


class PanelView(_Guarded, ModelView):  # type: ignore[misc]  # Flask-Admin's types are partial
    """A list of rows, and what it offers besides."""

    slug = ""
    icon = ""
    # Those of FLASK_ADMINS that this view has; each but `export` it makes itself.
    offers: frozenset[str] = frozenset()
    # Arguments of the address that the list keeps besides its own; anything else is forgotten.
    kept_arguments: frozenset[str] = frozenset()
    # "All rows that match" may be chosen for actions: the post then has scope=filter and query.
    acts_on_filter = False

    # What one row is called, and several.
    nouns = ("row", "rows")

    can_create = False
    can_edit = False
    can_delete = False
    can_set_page_size = True
    page_size = 50
    page_size_options = (20, 50, 100)
    named_filter_urls = True
    column_display_pk = False
    column_default_sort = ("id", True)
    column_type_formatters = cells.IN_PAGES
    column_type_formatters_detail = cells.IN_PAGES
    column_type_formatters_export = cells.IN_EXPORTS
    # The actions in the order of their buttons; any other follows.
    action_order: tuple[str, ...] = ()

    list_template = "admin/model/list.html"

    def __init__(self, model: type, session: Any, **options: Any) -> None:
        options.setdefault("endpoint", f"admin_{self.slug}")
        options.setdefault("url", f"/admin/{self.slug}")
        options.setdefault("menu_icon_value", self.icon)
        super().__init__(model, session, **options)

    def create_blueprint(self, admin: Any) -> Any:
        """Only the routes that the list offers: a route without a use is a route without a guard."""
        exposed: list[tuple[str, str, Any]] = getattr(self, "_urls")  # noqa: B009 - its metaclass sets it, unseen by types
        unwanted = FLASK_ADMINS - self.offers
        self._urls = [route for route in exposed if route[1] not in unwanted]
        return super().create_blueprint(admin)

    # Reading the address

    def _get_list_extra_args(self) -> ViewArgs:
        found = super()._get_list_extra_args()
        found.page = min(max(found.page or 0, 0), LAST_PAGE)
        found.search = (found.search or "").strip()[:MAX_SEARCH_LENGTH] or None
        # They would be passed on to url_for, which takes some names (_scheme, _method) as orders.
        found.extra_args = {k: v for k, v in found.extra_args.items() if k in self.kept_arguments}
        return found

    def _get_list_filter_args(self) -> list[tuple[int, str, str]] | None:
        if not self._filters:
            return None
        found = []
        for argument in request.args:
            position, _, name = argument.removeprefix("flt").partition("_")
            if not argument.startswith("flt"):
                continue
            if name not in self._filter_args:
                flash(f"This list has no filter “{name[:60]}”, so it is left out.", "warning")
                continue
            index, wanted = self._filter_args[name]
            value = request.args[argument].strip()[:MAX_FILTER_LENGTH]
            if self._understood(wanted, value):
                found.append((position.zfill(4), (index, str(wanted.name), value)))
            else:
                flash(
                    f"The filter “{wanted.name}” does not understand “{value[:60]}” and is left out.",
                    "warning",
                )
        return [chosen for _, chosen in sorted(found, key=lambda item: item[0])]

    def _understood(self, wanted: Any, value: str) -> bool:
        options = wanted.get_options(self)
        if options and wanted.data_type != "select2-tags" and value not in {str(key) for key, _ in options}:
            return False
        try:
            cleaned = wanted.clean(value)
        except (Invalid, ValueError, TypeError, OverflowError, AttributeError, LookupError):
            return False
        if "range" in (wanted.data_type or "") and not (isinstance(cleaned, list) and len(cleaned) == 2):
            return False
        return value != "" and _storable(cleaned)

    def _get_list_url(self, view_args: ViewArgs) -> str:
        address = str(super()._get_list_url(view_args))
        # Flask-Admin writes the usual number of rows into every address; a shorter one says the same.
        usual = f"page_size={self.page_size}"
        path, _, query = address.partition("?")
        rest = "&".join(part for part in query.split("&") if part and part != usual)
        return f"{path}?{rest}" if rest else path

    def _apply_search(self, *queries_and_joins: Any) -> Any:
        *rest, search = queries_and_joins
        return super()._apply_search(*rest, search.replace("\\", "\\\\"))

    def _apply_sorting(self, query: Any, joins: Any, sort_column: Any, sort_desc: bool) -> tuple[Any, Any]:
        query, joins = super()._apply_sorting(query, joins, sort_column, sort_desc)
        if sort_column is not None:  # rows that are equal in it would else change places between pages
            key = getattr(self.model, self._primary_key)
            query = query.order_by(key.desc() if sort_desc else key.asc())
        return query, joins

    def prepare(self, rows: Sequence[Any]) -> Any:
        """Fetch for all rows at once what their cells need; called for a page and for each slice of an export.

        Formatters get it as the `details` of the Listing that the template has as `data`.
        """
        return None

    def name_of(self, row: Any) -> str:
        """What a row is called where there is no space for more."""
        return str(row)

    # One row

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's name for it
        """The row, of those that the list would show; None for an id that is no id."""
        column = getattr(self.model, self._primary_key)
        try:
            wanted = column.type.python_type(str(id))
        except (ValueError, TypeError, AttributeError):
            return None
        if not _storable(wanted):
            return None
        return (
            self.get_query()
            .options(*map(joinedload, self._auto_joins))
            .filter(column == wanted)
            .one_or_none()
        )

    def row_asked_for(self) -> Any:
        """The row whose page an address asks for; Missing if the list would not show it."""
        row = self.get_one(request.args.get("id", ""))
        if row is None:
            raise Missing
        return row

    def scaffold_form(self) -> type[Form]:
        """No form is made, and no related row loaded for one: Flask-Admin writes nothing here."""
        return Form

    # Drawing

    @expose("/")
    def index_view(self) -> Any:
        address = filter_form.canonical(self)
        return redirect(address) if address else super().index_view()

    def render(self, template: str, **values: Any) -> str:
        if template == self.list_template:
            pager_url = values["pager_url"]
            values["export_url"] = self._export_url(values["return_url"]) if "export" in self.offers else ""
            values["page_url"] = lambda number: pager_url(number - 1)
            values["filter_rows"] = filter_form.rows(self, values["active_filters"])
            values["chips"] = filter_form.chips(self, _arguments_of(values))
        return str(super().render(template, **values))

    def get_actions_list(self) -> tuple[list[tuple[str, str]], dict[str, str]]:
        actions, confirmations = super().get_actions_list()
        order = {name: place for place, name in enumerate(self.action_order)}
        return sorted(actions, key=lambda action: order.get(action[0], len(order))), confirmations

    # Export

    def _export_url(self, list_url: str) -> str:
        address = self.get_url(".export", export_type="csv")
        query = list_url.partition("?")[2]
        return f"{address}?{query}" if query else str(address)

    @expose("/export/<any(csv):export_type>/")
    def export(self, export_type: str) -> Any:
        return csv_export.stream(self)


def _arguments_of(values: Mapping[str, Any]) -> ViewArgs:
    """What Flask-Admin has read from the address, out of the values that it hands to the list's template."""
    return ViewArgs(
        page_size=values["page_size"],
        sort=values["sort_column"],
        sort_desc=values["sort_desc"],
        search=values["search"],
        filters=values["active_filters"],
        extra_args=values["extra_args"],
    )


def _storable(value: Any) -> bool:
    """May it be compared with a column without the database refusing the question itself?"""
    if isinstance(value, list | tuple | set):
        return bool(value) and all(_storable(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**31
    if isinstance(value, float):
        return math.isfinite(value)
    return True
