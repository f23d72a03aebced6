"""The index of the domain's rooms names every room, and none that is gone."""

import re
from pathlib import Path

from lessonadmin import domain

FOLDER = Path(domain.__file__).parent


def test_every_room_of_the_domain_is_in_its_index() -> None:
    index = (domain.__doc__ or "").split("Where is what", 1)[1].split(":", 1)[1]
    listed = [
        word
        for line in index.splitlines()
        for word in re.findall(r"\b[a-z_]+\b", re.sub(r"^  \S.{17}", "", line))
    ]
    rooms = {
        file.stem for file in FOLDER.iterdir() if file.suffix == ".py" or (file / "__init__.py").exists()
    }
    assert sorted(listed) == sorted(rooms - {"__init__"})
