"""No button is dead: every button of a lesson's page is pressed, in every state of its video, and the page must answer it.

The other pages: test_every_button_of_pages.py, test_every_button_of_panel.py.
"""

from collections.abc import Callable

import pytest

from tests.browser.pressing import Presser
from tests.browser.school import School
from tests.browser.stack import Person, Visitor
from tests.browser.test_states import BROKEN, LONG_AGO, replaced, replacement_failed, replacing


def waiting(school: School, **columns: object) -> str:
    """Mux really waits for the file, and is asked about it only by a person."""
    return school.on_its_way("Rye", "uploading", upload_id=school.mux_upload(), **columns)


def ready(school: School, **columns: object) -> str:
    return school.lesson("Rye", price=900, **columns)


STATES: dict[str, Callable[[School], str]] = {
    "none": lambda school: school.without_video("Rye", "none"),
    "uploading": waiting,
    "the file is in": lambda school: waiting(school, bytes_in_at="now"),
    "stuck, no file": lambda school: waiting(school, created_at=LONG_AGO),
    "stuck, file sent": lambda school: waiting(school, created_at=LONG_AGO, bytes_in_at=LONG_AGO),
    "processing": lambda school: school.on_its_way("Rye", "processing", mux_asset_id="asset-rye"),
    "stuck, processing": lambda school: school.on_its_way(
        "Rye", "processing", mux_asset_id="asset-stuck", created_at=LONG_AGO
    ),
    "draft": lambda school: ready(school, status="draft", published_at=None),
    "published": ready,
    "replacing, uploading": replacing("uploading"),
    "replacing, processing": replacing("processing", mux_asset_id="asset-new"),
    "replacing, stuck": replacing("uploading", created_at=LONG_AGO),
    "replacement failed": replacement_failed,
    "replaced": replaced,
    "failed": lambda school: school.on_its_way("Rye", "error", **BROKEN),
    "failed, with an asset": lambda school: ready(
        school, status="draft", video_processing_status="error", video_error_type="wrong_policy"
    ),
    "deleting": lambda school: school.without_video("Rye", "deleting"),
    "temporary id": lambda school: ready(school, mux_playback_id="temp_1"),
}


GROUPS = [list(STATES)[n : n + 2] for n in range(0, len(STATES), 2)]


@pytest.mark.parametrize("states", GROUPS, ids=lambda states: ", ".join(states))
def test_every_button_of_a_lesson_answers_in_every_state_of_its_video(
    visit: Visitor, school: School, instructor: Person, states: list[str]
) -> None:
    page = visit(instructor, errors=True)
    presser = Presser(page)
    for state in states:
        make = STATES[state]
        presser.press_all(
            f"lesson: {state}",
            lambda make=make: page.goto(f"/lessons/{make(school)}/edit"),
            skip=("Sign out",),
        )
    assert presser.dead == []
    assert presser.count > 2 * len(states)
