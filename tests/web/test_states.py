"""Every state of the tables has a word, an icon that is in the sprite and a tone that has a colour; what is unknown shows its name."""

import re
from collections.abc import Iterable

import pytest
from flask import Flask, render_template_string

from devstack.places import ROOT
from lessonadmin.domain.models.batches import BATCH_STATUSES, ITEM_STATUSES
from lessonadmin.domain.models.events import OUTCOMES
from lessonadmin.domain.models.lessons import LESSON_STATUSES, VIDEO_STATUSES
from lessonadmin.domain.models.videos import TRACKING_STATUSES
from lessonadmin.domain.videos.state_machine import UPLOAD_ERRORS
from lessonadmin.web import states
from tests.cases import each_of

STATIC = ROOT / "lessonadmin" / "static"
ICONS = set(re.findall(r'id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
STYLES = "".join(file.read_text() for file in (STATIC / "css").glob("*.css"))
BADGES = [(kind, name) for kind in states.TABLE for name, state in states.TABLE[kind].items() if state.icon]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("lesson", LESSON_STATUSES),
        ("video", VIDEO_STATUSES),
        ("upload", TRACKING_STATUSES),
        ("event", OUTCOMES),
        ("batch", BATCH_STATUSES),
        ("batch_row", ITEM_STATUSES),
        ("ended", UPLOAD_ERRORS.values()),
    ],
)
def test_every_state_that_a_row_can_have_is_in_the_table(kind: str, names: Iterable[str]) -> None:
    assert set(names) - set(states.TABLE[kind]) == set()


@each_of(("kind", "name"), BADGES)
def test_a_badge_has_an_icon_and_a_colour_that_are_there(kind: str, name: str) -> None:
    state = states.state_of(kind, name)
    assert state.word
    assert state.icon in ICONS
    assert not state.tone or f".badge--{state.tone}" in STYLES


@pytest.mark.parametrize("kind", ["begun", "ended", "found"])
def test_a_series_of_a_chart_has_a_colour(kind: str) -> None:
    assert states.TABLE[kind]
    assert all(f".chart__bar--{state.tone}" in STYLES for state in states.TABLE[kind].values())


def test_an_unknown_state_is_shown_by_its_name() -> None:
    assert states.state_of("upload", "tomorrow") == states.State("tomorrow", "dot")
    assert states.state_of("upload", None).word == "–"


def test_a_filter_offers_the_word_of_a_badge_unless_it_has_its_own() -> None:
    assert states.options("lesson", ("draft", "published")) == (
        ("draft", "Draft"),
        ("published", "Published"),
    )
    assert states.options("upload", ("ready", "error")) == (("ready", "Ready"), ("error", "Error"))


def test_a_template_shows_a_state_by_the_table(app: Flask) -> None:
    drawn = "{% from 'macros/badge.html' import state_badge %}{{ state_badge('batch', 'stopped') }}"
    with app.test_request_context():
        html = render_template_string(drawn)
    assert "badge--warn" in html
    assert "#pause" in html
    assert html.endswith("Stopped</span>")
