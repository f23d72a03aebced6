"""The text of a setting: what is taken as what, and what is refused without being quoted. `test_config.py` has the settings themselves."""

from collections.abc import Callable

import pytest

from lessonadmin import setting_values


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/New_York"])
def test_a_time_zone_is_known_by_its_name(name: str) -> None:
    assert setting_values.time_zone(name).key == name


@pytest.mark.parametrize(
    "text", ["Berlin", "CEST+1", "../../etc/passwd", "/etc/localtime", "Europe/", "x" * 500]
)
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a time zone such as Europe/Berlin or UTC"):
        setting_values.time_zone(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (setting_values.database_url, "mysql://u:hunter2@h/db"),
        (setting_values.redis_url, "http://u:hunter2@h"),
        (setting_values.origin, "https://me:hunter2@h"),
        (setting_values.mail_url, "smtp+insecure://u:hunter2@h"),
        (setting_values.contact, "hunter2"),
        (setting_values.keep_days, "hunter2=1"),
        (setting_values.plan_limits, "hunter2=1"),
    ],
)
def test_a_refusal_quotes_nothing(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - each has words of its own
        read(text)
    assert "hunter2" not in str(caught.value)
