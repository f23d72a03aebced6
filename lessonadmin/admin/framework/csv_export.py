"""A list as a CSV file, of any length: read in slices by key, sent as it is read, safe to open in a spreadsheet.

Slices are short queries of their own, so a download that takes an hour holds no transaction open. The rows come in the
order of their keys, newest first, whatever the list is sorted by. Before the first row leaves, an audit row says who
takes how many of them, by which search and filters.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response
from sqlalchemy.orm import joinedload
from werkzeug.utils import secure_filename

from lessonadmin.admin.framework.listing import Listing
from lessonadmin.domain.querying.slices import slices
from lessonadmin.security import csv_files
from lessonadmin.text import spreadsheets


def stream(view: Any) -> Response:
    """Every row that matches the list's search and filters."""
    name = secure_filename(view.get_export_name(export_type="csv"))
    arguments = view._get_list_extra_args()
    csv_files.record(
        view.slug,
        _query(view, arguments).order_by(None).count(),
        search=arguments.search or None,
        filters={name: value for _, name, value in arguments.filters or ()} or None,
    )
    return csv_files.answer(name, _lines(view, arguments))


def _query(view: Any, arguments: Any) -> Any:
    _, query = view.get_list(
        None, None, False, arguments.search, arguments.filters, execute=False, page_size=0
    )
    return query.options(*map(joinedload, view._auto_joins))


def _lines(view: Any, arguments: Any) -> Iterator[str]:
    # The query is made in here: one of the view's session would take a connection after that session had ended, and no
    # session would give it back.
    query = _query(view, arguments)
    columns = view._export_columns
    yield spreadsheets.line(str(label) for _, label in columns)
    for rows in slices(query, getattr(view.model, view._primary_key)):
        listing = Listing(rows, view.prepare(rows))
        yield "".join(
            spreadsheets.line(_value(view, listing, row, name) for name, _ in columns) for row in listing
        )


def _value(view: Any, listing: Listing, row: Any, name: str) -> Any:
    plain = view._get_field_value(row, name)
    written = view._get_list_value(
        {"data": listing}, row, name, view.column_formatters_export, view.column_type_formatters_export
    )
    return plain if isinstance(plain, int | float) and str(written) == str(plain) else written
