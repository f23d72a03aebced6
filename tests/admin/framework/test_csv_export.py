"""The CSV file of a list, over HTTP: what it leaves behind. What stands in it is tested with the lists."""

import gc

from flask import Flask

from lessonadmin.db import db
from tests.admin.samples import browser, one_of_each


def test_no_connection_is_kept_by_a_file_that_was_sent(app: Flask) -> None:
    with app.app_context():
        one_of_each()
        db.session.remove()
        pool = db.engine.pool
    staff = browser()
    gc.disable()  # a connection that only the collector gives back is kept
    try:
        before = pool.checkedout()  # type: ignore[attr-defined]  # of a QueuePool
        for _ in range(3):
            assert staff.get("/admin/lesson/export/csv/").text.startswith('"Id"')
        assert pool.checkedout() == before  # type: ignore[attr-defined]  # of a QueuePool
    finally:
        gc.enable()
