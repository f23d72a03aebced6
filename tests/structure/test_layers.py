"""The picture of the layers in `lessonadmin/domain/__init__.py` is the one that import-linter holds (`bin/check layers`)."""

import tomllib
from pathlib import Path

from lessonadmin import domain

ROOT = Path(__file__).parents[2]
FOLDER = Path(domain.__file__).parent


def held() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (inside,) = (one for one in contracts if one.get("containers") == ["lessonadmin.domain"])
    assert inside["exhaustive"]
    layers: list[str] = inside["layers"]
    return layers


def drawn(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


def test_the_picture_shows_the_layers_that_are_held() -> None:
    assert drawn(domain.__doc__ or "") == held()


def test_each_package_of_the_domain_has_its_layer() -> None:
    packages = {
        one.stem for one in FOLDER.iterdir() if one.suffix == ".py" or (one / "__init__.py").exists()
    } - {"__init__"}
    assert packages == {name.strip() for layer in held() for name in layer.split("|")}


def test_a_picture_that_lacks_a_layer_is_another_one() -> None:
    without_one = "\n".join((domain.__doc__ or "").splitlines()[:-1]).replace("  models", "")
    assert drawn(without_one) != held()
