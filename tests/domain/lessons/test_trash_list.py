"""What is listed of the trash: whose, by pages, and who deleted it, for those who may restore it."""

import pytest

from lessonadmin.domain.errors import Forbidden, Invalid, Missing
from lessonadmin.domain.lessons import listing, trash_list
from tests.factories import make_course, make_lesson, make_user
from tests.trash import delete, instructor_of

pytestmark = pytest.mark.usefixtures("session")


def test_an_instructor_is_not_told_which_of_the_staff_deleted_it() -> None:
    lesson = make_lesson()
    delete(lesson, by=make_user(role="support", name="Sue"))
    assert trash_list.page(instructor_of(lesson)).items[0].deleted_by == "Support"


def test_the_trash_is_listed_by_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash_list, "PER_PAGE", 2)
    user = make_user()
    for number in range(3):
        delete(make_lesson(creator=user, title=str(number)))
    first, second = trash_list.page(user), trash_list.page(user, 2)
    assert [[one.title for one in page.items] for page in (first, second)] == [["2", "1"], ["0"]]
    assert (first.more, second.more) == (True, False)
    page = listing.lessons(user, listing.Query(trash=True, per_page=2))
    assert ([one.title for one in page.items], page.total) == (["2", "1"], 3)
    with pytest.raises(Invalid, match="whole"):
        listing.lessons(user, listing.Query(trash=True, q="x"))


def test_one_is_described_as_in_the_list_and_only_while_it_is_there() -> None:
    course = make_course(title="Bread")
    user = instructor_of(course)
    make_lesson(creator=user, course=course)
    with pytest.raises(Missing):
        trash_list.one(user, "course", course.id)
    delete(course)
    assert trash_list.one(user, "course", course.id) == trash_list.page(user).items[0]
    assert (trash_list.one(user, "course", course.id).lessons, trash_list.page(user).items[0].owner) == (
        1,
        "",
    )
    with pytest.raises(Forbidden):
        trash_list.page(make_user(role="student"))
