"""The page on which many files are sent at once, for a course or for lessons without one, and how its lessons stand, for all in one
answer.

What a row does is done by its script over the API; without one the page leads to the form of a single lesson.
"""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from lessonadmin import auth
from lessonadmin.domain import prices, thumbnails
from lessonadmin.domain.captions import asking
from lessonadmin.domain.models import Course
from lessonadmin.domain.uploads import tray
from lessonadmin.text.ids import as_id
from lessonadmin.views.lessons.blueprint import bp
from lessonadmin.views.videos import card
from lessonadmin.web import fragments, headers


@bp.get("/upload")
def upload() -> Response:
    return page(None)


def page(course: Course | None) -> Response:
    headers.sends_files()
    headers.shows_pictures()
    course_id = course.id if course is not None else None
    found = tray.without_file(auth.current_user(), course_id)
    usual = tray.usual_price(auth.current_user(), course_id)
    return make_response(
        render_template(
            "tray/index.html",
            course=course,
            language=(asking.language_of(course) or "") if course is not None else "",
            waiting=found.lessons,
            states=found.states,
            rules=card.upload_rules(),
            max_files=tray.MAX_FILES,
            at_once=tray.SENT_AT_ONCE,
            price_text=prices.price_text,
            usual_price=prices.price_text(usual) if usual is not None else "",
        )
    )


@bp.get("/upload/states")
def upload_states() -> Response:
    """The lessons that the address names, as an open page shows them."""
    headers.shows_pictures()
    ids = [one for text in request.args.getlist("id") if (one := as_id(text)) is not None]
    found = tray.followed(auth.current_user(), list(dict.fromkeys(ids)))
    html = render_template(
        "tray/states.html",
        lessons=found.lessons,
        states=found.states,
        thumbnail=thumbnails.thumbnail,
        price_text=prices.price_text,
    )
    return fragments.answer(html, name="states")
