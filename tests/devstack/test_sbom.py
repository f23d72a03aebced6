"""What the product is made of, as the standard wants it: every pinned package, with its hashes, the same text each time."""

import json
import subprocess
from importlib.resources import files
from urllib.parse import urljoin

import jsonschema
import pytest
from referencing import Registry, Resource

from devstack.commands import sbom
from devstack.install import pinned
from devstack.places import ROOT

SCHEMAS = files("cyclonedx.schema._res")
PARTS = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")


@pytest.fixture(scope="module")
def printed() -> str:
    done = subprocess.run([ROOT / "bin" / "sbom"], capture_output=True, text=True, check=True)
    return done.stdout


def standard() -> jsonschema.Draft7Validator:
    """The published schema, which a package carries."""
    whole = json.loads((SCHEMAS / f"bom-{sbom.SPECIFICATION}.SNAPSHOT.schema.json").read_text())
    parts = {name: json.loads((SCHEMAS / name).read_text()) for name in PARTS}
    known = Registry().with_resources(
        (urljoin(whole["$id"], name), Resource.from_contents(part)) for name, part in parts.items()
    )
    return jsonschema.Draft7Validator(whole, registry=known)


def test_it_is_as_the_standard_says(printed: str) -> None:
    document = json.loads(printed)
    standard().validate(document)
    document["components"][0]["scope"] = "invented"
    with pytest.raises(jsonschema.ValidationError):
        standard().validate(document)


def test_it_names_every_package_with_all_its_hashes(printed: str) -> None:
    known = {one["purl"]: one for one in json.loads(printed)["components"]}
    flask = next(one for one in pinned.in_files("requirements.txt") if one.name == "flask")
    found = known[f"pkg:pypi/flask@{flask.version}"]
    assert {one["content"] for one in found["hashes"]} == set(flask.hashes)
    assert found["scope"] == "required"
    assert (
        known[
            f"pkg:pypi/ruff@{next(one.version for one in pinned.in_files('requirements-dev.txt') if one.name == 'ruff')}"
        ]["scope"]
        == "excluded"
    )
    delivered = json.loads((ROOT / "package.json").read_text())["dependencies"]
    for name, version in delivered.items():
        player = known[f"pkg:npm/{name.replace('@', '%40')}@{version}"]
        assert (player["scope"], player["hashes"][0]["alg"]) == ("required", "SHA-512")
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert len([one for one in known if one.startswith("pkg:npm/")]) == len(
        {(path.rpartition("node_modules/")[2], one["version"]) for path, one in lock.items() if path}
    )
    assert len(known) == len(json.loads(printed)["components"]), "none is there twice"


def test_the_same_pins_give_the_same_text(printed: str) -> None:
    assert json.dumps(sbom.document(), indent=1) + "\n" == printed
