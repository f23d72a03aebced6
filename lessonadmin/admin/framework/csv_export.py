"""A list as a CSV file, of any length: read in slices by key, sent as it is read, safe to open in a spreadsheet.

Slices are short queries of their own, so a reader who takes an hour holds no transaction open. The rows come in the
order of their keys, newest first, whatever the list is sorted by. Before the first row leaves, an audit row says who
takes how many of them, by which search and filters.
"""

from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context
from sqlalchemy.orm import joinedload
from werkzeug.utils import secure_filename

from lessonadmin import auth
from lessonadmin.db import db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.text import spreadsheets

SLICE = 1000


def stream(view: Any) -> Response:
    """Every row that matches the list's search and filters."""
    name = secure_filename(view.get_export_name(export_type="csv"))
    _write_down(view)
    return Response(
        stream_with_context(_lines(view)),
        headers={"Content-Disposition": f"attachment; filename={name}"},
        mimetype="text/csv",
    )


def _write_down(view: Any) -> None:
    arguments = view._get_list_extra_args()
    rows = _query(view, arguments).order_by(None).count()
    filters = {name: value for _, name, value in arguments.filters or ()}
    with transaction(auth.current_actor()):
        audit_log.record_for(
            f"{view.room}.exported",
            view.room,
            None,
            rows=rows,
            search=arguments.search or None,
            filters=filters or None,
        )


def _query(view: Any, arguments: Any) -> Any:
    _, query = view.get_list(
        None, None, False, arguments.search, arguments.filters, execute=False, page_size=0
    )
    return query


def _lines(view: Any) -> Iterator[str]:
    columns = view._export_columns
    yield spreadsheets.line(str(label) for _, label in columns)
    for slice_ in _slices(view):
        yield "".join(spreadsheets.line(_value(view, row, name) for name, _ in columns) for row in slice_)


def _value(view: Any, row: Any, name: str) -> Any:
    plain = view._get_field_value(row, name)
    written = view.get_export_value(row, name)
    return plain if isinstance(plain, int | float) and str(written) == str(plain) else written


def _slices(view: Any) -> Iterator[list[Any]]:
    key = getattr(view.model, view._primary_key)
    query = _query(view, view._get_list_extra_args())
    query = query.options(*map(joinedload, view._auto_joins)).order_by(None).order_by(key.desc()).limit(SLICE)
    found = query.all()
    while found:
        last = getattr(found[-1], view._primary_key)
        view.prepare(found)
        yield found
        # The transaction ends with each slice: a slow reader holds nothing.
        db.session.rollback()
        db.session.expunge_all()
        found = query.limit(None).filter(key < last).limit(SLICE).all() if len(found) == SLICE else []
