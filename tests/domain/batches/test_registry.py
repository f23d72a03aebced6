"""The table of the bulk actions."""

import pytest

from lessonadmin.domain.batches import registry
from lessonadmin.domain.errors import Missing


def test_the_table_has_exactly_the_actions_that_the_panel_promises() -> None:
    names = {target: {action.name for action in registry.of(target)} for target in registry.MODELS}
    assert names == {
        "lesson": {"publish", "unpublish", "republish", "clear_asset", "recheck", "make_captions"},
        "course": {"clear_asset", "recheck"},
        "tracking": {"recheck", "clear_asset", "take_over"},
        "event": {"replay"},
    }
    assert all((action.inside is None) != (action.outside is None) for action in registry.ALL)
    with pytest.raises(Missing):
        registry.find("course", "publish")
