"""The demo school agrees with itself, and shows each state of a video."""

from typing import get_args

from lessonadmin.demo import school
from lessonadmin.domain.accounts.demo_accounts import DOMAIN
from lessonadmin.domain.models.accounts import ROLES


def test_there_is_an_account_of_each_role_in_the_demo_domain() -> None:
    assert sorted(account.role for account in school.ACCOUNTS) == sorted(ROLES)
    assert all(account.email.endswith(f"@{DOMAIN}") for account in school.ACCOUNTS)


def test_the_instructor_is_one_of_them() -> None:
    (instructor,) = [account for account in school.ACCOUNTS if account.email == school.INSTRUCTOR]
    assert instructor.role == "instructor"


def test_each_state_of_a_video_is_shown() -> None:
    assert {lesson.video for lesson in school.LESSONS} == set(get_args(school.Video))


def test_each_course_has_lessons_and_each_lesson_a_course_that_exists() -> None:
    assert {lesson.course for lesson in school.LESSONS} - {None} == set(school.COURSES)
