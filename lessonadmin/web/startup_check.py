"""May web start? Not on a database that is behind this code; one that is merely away is waited for in each request."""

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.db import db
from lessonadmin.domain import heartbeats


def refusal(app: Flask) -> str | None:
    """One sentence if web must not start; None if it may."""
    with app.app_context():
        try:
            stands, expected = heartbeats.revision(), heartbeats.expected_revision()
        except SQLAlchemyError:
            return None
        finally:
            db.session.remove()
            db.engine.dispose()  # the web processes are forked from here and make connections of their own
    if stands == expected:
        return None
    where = "is empty" if stands is None else f"stands at migration {stands}"
    return f"The database {where}, this code needs {expected}: run 'flask --app app db upgrade' first."
