"""The list of courses: how many lessons each has and the status of its preview; searched and paged."""

from flask import render_template, request, url_for

from lessonadmin import auth
from lessonadmin.domain.lessons import course_lists, listing, pictures
from lessonadmin.domain.videos import video_status
from lessonadmin.views.courses.blueprint import bp
from lessonadmin.web import address_numbers, headers

PER_PAGE = 20
LAST_PAGE = listing.CEILING // PER_PAGE


@bp.get("")
def index() -> str:
    headers.shows_pictures()
    user = auth.current_user()
    q = request.args.get("q", "")[:200]
    number = address_numbers.page(LAST_PAGE)
    page = listing.courses(user, listing.Query(q=q, page=number, per_page=PER_PAGE, loosely=True))
    return render_template(
        "courses/index.html",
        page=page,
        q=q,
        counts=course_lists.counts(user, page.items),
        states=video_status.of_many(page.items),
        teachers=course_lists.instructors(page.items) if user.is_staff else {},
        covers=pictures.covers(page.items, width=192, height=108),
        link=lambda number: url_for("courses.index", q=q or None, page=number if number > 1 else None),
    )
