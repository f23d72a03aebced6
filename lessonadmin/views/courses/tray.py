"""The page on which many files of a course are sent at once; what it shows is in `views.lessons.tray`."""

import uuid

from werkzeug.wrappers import Response

from lessonadmin.views.courses.blueprint import bp, course_to_change
from lessonadmin.views.lessons import tray


@bp.get("/<uuid:course_id>/upload")
def upload(course_id: uuid.UUID) -> Response:
    return tray.page(course_to_change(course_id))
