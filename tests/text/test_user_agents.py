"""What a browser says of itself, in plain words; anything else is a browser without a name."""

import pytest

from lessonadmin.text import user_agents


@pytest.mark.parametrize(
    ("agent", "written"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/120 Safari/537 Edg/120", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17) Version/17 Mobile Safari/604", "Safari on iPhone"),
        ("", "A browser"),
        ("<script>", "A browser"),
    ],
)
def test_browsers(agent: str, written: str) -> None:
    assert user_agents.browser(agent) == written
