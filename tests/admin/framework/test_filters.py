"""The filters of lists: each finds the rows that its words say, by days of UTC, prices as forms read them, and people."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import Select, false, select, true
from sqlalchemy.orm import Session

from lessonadmin.admin.framework import filters
from lessonadmin.admin.framework.filters import Where
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import Lesson
from tests.admin.samples import browser
from tests.cases import each_of
from tests.factories import make_course, make_lesson, make_user
from tests.pages import page_of

STATES = (("draft", "Draft"), ("published", "Published"))
POLICIES = (("public", "Public"), ("signed", "Signed"))


def found(session: Session, offered: Sequence[Where], operation: str, value: str) -> set[str]:
    """The titles of the lessons that one operation of a filter finds."""
    (chosen,) = [one for one in offered if one.operation() == operation]
    condition = chosen.condition(chosen.clean(value))
    return set(session.scalars(select(Lesson.title).where(condition)))


@pytest.mark.parametrize(
    ("operation", "value", "titles"),
    [
        ("is", "public", {"Public"}),
        ("is not", "public", {"Signed", "None"}),
        ("is not", "signed", {"Public", "None"}),
    ],
)
def test_what_has_no_word_is_none_of_the_words(
    session: Session, operation: str, value: str, titles: set[str]
) -> None:
    for title, policy in (("Public", "public"), ("Signed", "signed"), ("None", None)):
        make_lesson(title=title, playback_policy=policy)
    offered = filters.choice("Policy", Lesson.playback_policy, POLICIES)
    assert found(session, offered, operation, value) == titles


@pytest.mark.parametrize(
    ("operation", "value", "titles"),
    [("is", "draft", {"Draft"}), ("is not", "draft", {"Out"}), ("is not", "published", {"Draft"})],
)
def test_one_of_a_few_words(session: Session, operation: str, value: str, titles: set[str]) -> None:
    make_lesson(title="Draft", status="draft")
    make_lesson(title="Out", status="published")
    assert found(session, filters.choice("State", Lesson.status, STATES), operation, value) == titles


def test_only_a_word_may_be_asked_for_where_the_others_are_nearly_everything() -> None:
    offered = filters.only("Policy", Lesson.playback_policy, POLICIES)
    assert [one.operation() for one in offered] == ["is"]


@pytest.mark.parametrize(("value", "titles"), [("yes", {"Waits"}), ("no", {"Other"})])
def test_yes_or_no(session: Session, value: str, titles: set[str]) -> None:
    make_lesson(title="Waits", publish_on_ready=True)
    make_lesson(title="Other", publish_on_ready=False)
    condition = Lesson.publish_on_ready.is_(True)
    assert found(session, filters.flag("Waits", condition), "is", value) == titles
    assert found(session, filters.flag("Waits", lambda: condition), "is", value) == titles


@pytest.mark.parametrize(("value", "said"), [("yes", "true"), ("no", "false")])
def test_no_may_have_a_condition_of_its_own(value: str, said: str) -> None:
    (wanted,) = filters.flag("Odd", true, otherwise=false)
    assert str(wanted.condition(value)) == said


def test_only_yes_is_counted_by_other_rows() -> None:
    """The other rows are as many as those that fit, and say nothing of those that do not."""
    other: Select[tuple[uuid.UUID]] = select(Lesson.id)
    each = Lesson.title == "Rye"
    (counted,) = filters.flag(
        "Stuck", Lesson.publish_on_ready, counted_as=lambda _: other, by_each=lambda: each
    )
    (plain,) = filters.flag("Stuck", Lesson.publish_on_ready)
    assert (counted.counted_as("yes", 10), counted.by_each("yes")) == (other, each)
    assert (counted.counted_as("no", 10), counted.by_each("no")) == (None, None)
    assert (plain.counted_as("yes", 10), plain.by_each("yes")) == (None, None)


@pytest.mark.parametrize(
    ("operation", "value", "titles"),
    [
        ("from", "2026-01-31", {"First", "Last", "After"}),
        ("until", "2026-01-31", {"Before", "First", "Last"}),
        ("from", "2026-02-01", {"After"}),
        ("until", "2026-01-30", {"Before"}),
        ("from", "2026-01-31 17:00:00", {"First", "Last", "After"}),
    ],
)
def test_a_day_is_whole_and_of_utc(session: Session, operation: str, value: str, titles: set[str]) -> None:
    for title, made_at in (
        ("Before", datetime(2026, 1, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("First", datetime(2026, 1, 31, tzinfo=UTC)),
        ("Last", datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("After", datetime(2026, 2, 1, tzinfo=UTC)),
    ):
        make_lesson(title=title, created_at=made_at)
    assert found(session, filters.day("Made", Lesson.created_at), operation, value) == titles


@each_of("text", ["1899-12-31", "9001-01-01", "9999-12-31", "2026-13-01", "yesterday", ""])
@each_of("end", [0, 1])
def test_what_is_no_day_is_not_understood(text: str, end: int) -> None:
    offered = filters.day("Made", Lesson.created_at)
    with pytest.raises(ValueError, match=r"not a day|isoformat|month"):
        offered[end].clean(text)


@pytest.mark.parametrize(
    ("operation", "value", "titles"),
    [
        ("at least", "9.00", {"Nine", "Dear"}),
        ("at least", "9,01", {"Dear"}),
        ("at most", "€ 9", {"Free", "Nine"}),
        ("at most", "0", {"Free"}),
    ],
)
def test_a_price_is_a_bound_that_fits_itself(
    session: Session, operation: str, value: str, titles: set[str]
) -> None:
    for title, cents in (("Free", 0), ("Nine", 900), ("Dear", 9_900)):
        make_lesson(title=title, price_cents=cents)
    assert found(session, filters.price("Price", Lesson.price_cents), operation, value) == titles


@each_of("typed", ["1e1", "nan", "inf", "-1", "1000000"])
@each_of("end", [0, 1])
def test_what_is_no_price_is_not_understood(typed: str, end: int) -> None:
    offered = filters.price("Price", Lesson.price_cents)
    with pytest.raises(Invalid):
        offered[end].clean(typed)


@pytest.mark.parametrize("typed", ["1e1", "nan", "inf", "-1", "1000000"])
def test_a_filter_reads_prices_as_the_forms_do(app: Flask, typed: str) -> None:
    make_lesson(title="Dear", price_cents=9_900)
    answer = browser().get(f"/admin/lesson/?flt0_price_at_least={typed}")
    assert f"does not understand “{typed}”" in page_of(answer).text()


@pytest.mark.parametrize(
    ("value", "titles"),
    [("ada@school.example", {"Hers"}), ("ADA@school.example", {"Hers"}), ("lovelace", {"Hers"}), ("grace", set())],
)  # fmt: skip
def test_a_person_is_found_by_address_or_name(session: Session, value: str, titles: set[str]) -> None:
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    make_lesson(creator=ada, title="Hers")
    make_lesson(title="Other")
    offered = filters.person("Owner", Lesson.creator_id)
    assert found(session, offered, "is", value) == titles
    assert found(session, offered, "is", str(ada.id)) == {"Hers"}


def test_several_people_of_one_name_are_all_meant(session: Session) -> None:
    for number in range(2):
        make_lesson(creator=make_user(name=f"Ada {number}"), title=f"Lesson of {number}")
    offered = filters.person("Owner", Lesson.creator_id)
    assert found(session, offered, "is", "ada") == {"Lesson of 0", "Lesson of 1"}


@pytest.mark.parametrize(("value", "titles"), [("draw", {"Circles"}), ("paint", set())])
def test_a_course_is_found_by_the_words_of_its_title(session: Session, value: str, titles: set[str]) -> None:
    course = make_course(title="Drawing for all")
    make_lesson(course=course, title="Circles")
    make_lesson(title="Other")
    offered = filters.course("Course", Lesson.course_id)
    assert found(session, offered, "is", value) == titles
    assert found(session, offered, "is", str(course.id)) == {"Circles"}


def test_a_local_id_and_a_text_are_meant_exactly(session: Session) -> None:
    lesson = make_lesson(title="Circles", mux_asset_id="asset-x")
    make_lesson(title="Other", mux_asset_id="asset-xy")
    assert found(session, filters.identified("Lesson", Lesson.id), "is", str(lesson.id)) == {"Circles"}
    assert found(session, filters.text("Asset", Lesson.mux_asset_id), "is", "asset-x") == {"Circles"}


@pytest.mark.parametrize(
    ("offered", "operation", "value", "words"),
    [
        (filters.choice("State", Lesson.status, STATES), "is not", "draft", "State is not Draft"),
        (filters.flag("Stuck", true), "is", "no", "Stuck: no"),
        (filters.day("Created", Lesson.created_at), "from", "2026-01-31", "Created from 31 Jan 2026"),
        (
            filters.day("Created", Lesson.created_at),
            "until",
            "2026-01-31 17:00:00",
            "Created until 31 Jan 2026",
        ),
        (filters.price("Price", Lesson.price_cents), "at least", "9", "Price at least EUR\u00a09.00"),
        (filters.price("Price", Lesson.price_cents), "at most", "0", "Price at most EUR\u00a00.00"),
        (filters.person("Owner", Lesson.creator_id), "is", "ada", "Owner is ada"),
    ],
)
def test_a_filter_says_its_value_in_plain_words(
    session: Session, offered: Sequence[Where], operation: str, value: str, words: str
) -> None:
    (chosen,) = [one for one in offered if one.operation() == operation]
    assert chosen.said(value) == words


def test_an_account_that_is_meant_by_its_id_is_said_by_its_address(session: Session) -> None:
    (owner,) = filters.person("Owner", Lesson.creator_id)
    ada = make_user(email="ada@school.example")
    assert owner.said(str(ada.id)) == "Owner is ada@school.example"
    nowhere = str(uuid.uuid4())
    assert owner.said(nowhere) == f"Owner is {nowhere}"


def test_only_the_ends_of_a_range_may_be_asked_for_together() -> None:
    ranges = [*filters.day("Created", Lesson.created_at), *filters.price("Price", Lesson.price_cents)]
    assert [one.bound for one in ranges] == [True] * 4
    assert [one.bound for one in filters.choice("State", Lesson.status, STATES)] == [False] * 2
