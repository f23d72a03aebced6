"""Every list of the panel, over HTTP: whole pages, whatever is sorted, filtered, searched or asked for; few queries."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lessonadmin import auth
from lessonadmin.admin.framework.table import TableView
from lessonadmin.domain.models import Lesson, MuxEvent
from tests.admin.samples import LISTS, WITHOUT_FILES, browser, one_of_each, views
from tests.factories import (
    in_context,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.pages import page_of
from tests.queries import asked, counted, plan_of, plans_of

MAX_QUERIES = 15
WITHOUT_PAGES = ("purchase",)


WORDS = {
    "lesson": "Circles and lines", "course": "Drawing for all", "tracking": "squares.mp4", "event": "video.asset.ready",
    "deletion": "asset-gone", "batch": "asked", "purchase": "stu@school.example", "person": "ada@school.example", "user": "ada@school.example", "audit": "Changed the lesson",
}  # fmt: skip


@pytest.mark.parametrize("slug", LISTS)
def test_a_list_is_a_whole_page_with_few_queries(app: Flask, slug: str) -> None:
    one_of_each()
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{slug}/")
    assert answer.status_code == 200, answer.text
    page = page_of(answer)
    assert WORDS[slug] in page.text()
    assert len(sent) <= MAX_QUERIES, len(sent)


@pytest.mark.parametrize("slug", [slug for slug in LISTS if slug not in WITHOUT_PAGES])
def test_a_row_has_a_page(app: Flask, slug: str) -> None:
    row = one_of_each()[slug]
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{slug}/details/?id={row.id}")
    assert answer.status_code == 200, answer.text
    page_of(answer)
    assert len(sent) <= MAX_QUERIES, "\n".join(sent)


def test_the_lists_are_those_of_the_contract(app: Flask) -> None:
    assert set(views(app)) == set(LISTS)


@pytest.mark.parametrize("slug", LISTS)
def test_a_list_is_no_editor(app: Flask, slug: str) -> None:
    view = views(app)[slug]
    assert view.url == f"/admin/{slug}"
    assert (view.can_edit, view.can_create, view.can_delete) == (False, False, False)


def addresses_of(view: TableView) -> list[str]:
    """The query of each sort, saved view, filter and place of a list."""
    columns = [column for column, _ in view._list_columns]
    sorts = [
        f"sort={columns.index(name)}{desc}" for name in view.column_sortable_list for desc in ("", "&desc=1")
    ]
    others = ["end=1", "page=2", "page_size=100", "search=circles", f"search={uuid.uuid4()}"]
    found = sorts + [f"view={one.name}" for one in view.saved_views] + others
    for argument, (_, wanted) in view._filter_args.items():
        options = wanted.get_options(view)
        typed = "2026-01-31" if wanted.data_type == "datepicker" else "9"
        values = [key for key, _ in options][:3] if options else [typed, "ada@school.example", uuid.uuid4()]
        found += [f"flt0_{argument}={value}" for value in values]
    return found


@pytest.mark.parametrize("slug", LISTS)
def test_every_sort_filter_and_view_is_a_page_with_few_queries(app: Flask, slug: str) -> None:
    one_of_each()
    admin, view = browser(), views(app)[slug]
    addresses = addresses_of(view)
    assert any("flt0_" in address for address in addresses)
    wrong, of_file = {}, 404 if slug in WITHOUT_FILES else 200
    for address in addresses:
        with counted() as sent:
            answer = admin.get(f"/admin/{slug}/?{address}")
        page_of(answer)
        file = admin.get(f"/admin/{slug}/export/csv/?{address}")
        if (answer.status_code, file.status_code) != (200, of_file) or len(sent) > MAX_QUERIES:
            wrong[address] = (answer.status_code, file.status_code, len(sent))
    assert wrong == {}


ODD = [
    "page=-1", "page=99999999999999999999999", "page=x", "page_size=100000", "sort=99", "sort=-1", "sort=x", "desc=x",
    "search=" + "x" * 5000, "search=%5C", "search=%25", "search=%27", "search=%26%7C%21%28%29", "search=%F0%9F%98%80", "search=%ff%fe", "search=+",
    "after=x", "after=", "before=%21%21", "after=WyJ4IiwieCJd", "after=bnVsbA", "after=MQ", "before=W10", "end=1", "end=x", "after=" + "A" * 3000,
    "view=bogus", "view=", "flt0_state_is=bogus", "flt0_state_is=", "flt0_owner_is=nobody", "flt0_owner_is=%5C", "flt0_course_is=%27",
    "flt0_created_from=yesterday", "flt0_created_from=2026-13-45", "flt0_created_from=9999-12-31", "flt0_created_until=0001-01-01", "flt0_price_at_least=x",
    "flt0_price_at_least=nan", "flt0_price_at_least=1e400", "flt0_price_at_most=99999999999999", "flt0_about_is=x", "flt0_lesson_is=1", "flt0_error_type_is=x",
    "flt0_stuck_is=maybe", "flt0_state_is=draft&flt0_state_is=published", "op-0=bogus&value-0=x", "op-0=state_is&value-0=draft",
    "_scheme=javascript", "_method=DELETE", "endpoint=x", "url=https://evil.example",
]  # fmt: skip


ODD_IDS = ["abc", "", "1", str(uuid.uuid4()), "x" * 5000, "%5B%5D", "-1", "%F0%9F%98%80"]


@pytest.mark.parametrize("slug", LISTS)
def test_no_odd_address_is_an_unexpected_error(app: Flask, slug: str) -> None:
    one_of_each()
    admin = browser()
    answers = {}
    for query in ODD:
        answer = admin.get(f"/admin/{slug}/?{query}", follow_redirects=True)
        page_of(answer)
        file = admin.get(f"/admin/{slug}/export/csv/?{query}")
        answers[query] = (answer.status_code, file.status_code)
    of_file = 404 if slug in WITHOUT_FILES else 200
    assert {query: found for query, found in answers.items() if found != (200, of_file)} == {}


@pytest.mark.parametrize("slug", LISTS)
@pytest.mark.parametrize("path", ["details/", "edit/"])
def test_an_id_that_is_none_has_no_page(app: Flask, slug: str, path: str) -> None:
    one_of_each()
    admin = browser()
    answers = {odd: admin.get(f"/admin/{slug}/{path}?id={odd}").status_code for odd in ODD_IDS}
    assert {odd: found for odd, found in answers.items() if found != 404} == {}


FILTERS_AND_ORDERS = [
    ("event", "view=failed", "ix_mux_events_outcome"),
    ("event", "flt0_received_until={day}&flt1_outcome_is=failed", "ix_mux_events_outcome"),
    ("event", "flt0_received_until={day}&flt1_type_is=video.asset.errored", "ix_mux_events_type"),
    ("tracking", "flt0_state_is=error", "ix_mux_asset_tracking_status"),
    ("tracking", "flt0_started_until={day}&flt1_state_is=error", "ix_mux_asset_tracking_status"),
    ("tracking", "flt0_started_until={day}&flt1_error_type_is=asset_errored", "ix_mux_asset_tracking_error_type"),
    ("tracking", "flt0_started_until={day}&flt1_playback_policy_is=signed", "ix_mux_asset_tracking_playback_policy"),
]  # fmt: skip


def make_one_that_is_found() -> None:
    """By each of the filters whose plans are asked for."""
    old = datetime(2000, 1, 1, tzinfo=UTC)
    make_event(outcome="failed", type="video.asset.errored", received_at=old)
    make_tracking(make_lesson(), status="error", error_type="asset_errored", playback_policy="signed", created_at=old)  # fmt: skip


@pytest.mark.parametrize(("slug", "query", "index"), FILTERS_AND_ORDERS)
def test_one_index_answers_a_filter_and_the_order(
    app: Flask, monkeypatch: pytest.MonkeyPatch, slug: str, query: str, index: str
) -> None:
    """So that a page is read from its first row to its last, however many rows fit."""
    monkeypatch.setattr("lessonadmin.admin.framework.table.MAX_FILTERED", 0)
    make_one_that_is_found()
    day = (
        datetime.now(UTC) - timedelta(days=60)
    ).date()  # in the midst of the rows beside which plans are asked for
    admin, table = browser(), views(app)[slug].model.__tablename__
    with asked() as sent:
        assert "more than 0 " in page_of(admin.get(f"/admin/{slug}/?{query.format(day=day)}")).text()
    with in_context():
        plans = plans_of([one for one in sent if f"ORDER BY {table}." in one[0]], without=["sort"])
    assert plans
    for plan in plans:
        assert f"using {index} on" in plan, plan
        assert "Sort" not in plan, plan


@pytest.mark.parametrize(
    ("model", "conditions", "index"),
    [
        (Lesson, [Lesson.playback_policy == "signed", Lesson.created_at < func.now()], "ix_lessons_playback_policy"),
        (MuxEvent, [MuxEvent.outcome == "failed", MuxEvent.type == "video.asset.ready"], "ix_mux_events_outcome"),
    ],
    ids=["lessons of a policy before a day", "failed events of a type"],
)  # fmt: skip
def test_two_filters_are_counted_without_a_look_at_the_rows(
    session: Session, model: type[Any], conditions: list[ColumnElement[bool]], index: str
) -> None:
    plan = plan_of(select(model.id).where(*conditions).limit(1001), without=["bitmapscan", "seqscan"])
    assert f"Index Only Scan using {index}" in plan, plan


def test_what_no_order_is_asked_of_is_counted_in_none(app: Flask) -> None:
    """Else all rows that fit would be put in order first, to be counted no further than the ceiling."""
    make_one_that_is_found()
    admin = browser()
    with counted() as sent:
        admin.get("/admin/tracking/?flt0_state_is_not=ready")
    (count,) = [one for one in sent if "mux_asset_tracking.status IN (%" in one and "count(*)" in one]
    assert "ORDER BY" not in count


def test_a_list_never_asks_once_a_row(app: Flask) -> None:
    admin = browser()
    figures = []
    for _ in range(2):
        for _ in range(8):
            full = make_playing_lesson(creator=make_user(), course_id=make_course().id)
            make_tracking(full, upload_id=str(uuid.uuid4()), status="cancelled")
            make_event(target_type="lesson", target_id=full.id)
        found = []
        for slug in ("lesson", "course", "tracking", "event"):
            with counted() as sent:
                admin.get(f"/admin/{slug}/")
            found.append(len(sent))
        figures.append(found)
    assert figures[0] == figures[1]


@pytest.mark.parametrize("slug", LISTS)
@pytest.mark.parametrize(("role", "status"), [("student", 404), ("instructor", 404), ("support", 200)])
def test_who_may_see_what(app: Flask, role: str, status: int, slug: str) -> None:
    row = one_of_each()[slug]
    expected = 403 if (role, slug) == ("support", "user") else status
    caller = browser(role)
    assert caller.get(f"/admin/{slug}/").status_code == expected
    if slug not in WITHOUT_PAGES:
        assert caller.get(f"/admin/{slug}/details/?id={row.id}").status_code == expected


@pytest.mark.parametrize(("role", "is_led"), [("student", False), ("instructor", False), ("support", True)])
def test_only_staff_are_led_to_the_panel(app: Flask, role: str, is_led: bool) -> None:
    assert ("Support panel" in page_of(browser(role).get("/account")).text()) == is_led


def test_accounts_are_for_admins_alone() -> None:
    assert auth.GUARDS["admin_user"].roles == {"admin"}
