"""A file is recorded before its first line leaves: an audit row, and a count for the alarm."""

from flask import Flask
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog
from tests.factories import in_context, make_user, signed_in


def test_who_takes_what_is_recorded(app: Flask) -> None:
    user = make_user()
    answer = signed_in(user).get("/figures/days.csv?span=7")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=figures-days.csv"
    with in_context():
        row = db.session.scalars(select(AuditLog).where(AuditLog.action == "figures.exported")).one()
        assert (row.actor_id, row.detail["rows"], row.detail["span"]) == (user.id, 7, "7")


def test_a_file_that_is_refused_leaves_nothing(app: Flask) -> None:
    assert signed_in(make_user()).get("/figures/days.csv?instructor=x").status_code == 404
    with in_context():
        assert db.session.scalars(select(AuditLog).where(AuditLog.action == "figures.exported")).all() == []
