"""The reference of an error is kept with when, where, who and which kind."""

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import ErrorReference
from lessonadmin.domain.support import error_references
from tests.factories import make_user


@pytest.mark.usefixtures("session")
def test_what_is_kept() -> None:
    user = make_user()
    error_references.keep("given-1", route="GET /x", kind="KeyError", user_id=user.id)
    (one,) = db.session.scalars(select(ErrorReference))
    assert (one.reference, one.route, one.kind, one.user_id) == ("given-1", "GET /x", "KeyError", user.id)
    assert one.at is not None
