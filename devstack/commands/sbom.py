"""`bin/sbom`: what the product is made of, as CycloneDX in JSON on the standard output.

Reads the requirements files and `package-lock.json`, in which every package is pinned with the hashes of its files, and asks no server:
the same commit gives the same text. A component of Python has one hash for each file that may be installed. What tests, checks and
trials need is there as well, with the scope "excluded". It does not say which package needs which. Standard library only.
"""

import base64
import json
import sys
import tomllib
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from devstack import places
from devstack.errors import told
from devstack.install import pinned

SPECIFICATION = "1.6"
DELIVERED = "requirements.txt"
TOOLS = ("requirements-run.txt", "requirements-node.txt", "requirements-dev.txt")
ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
Component = dict[str, Any]


def document() -> dict[str, Any]:
    """The whole of it; its serial number is made from its content."""
    project = tomllib.loads((places.ROOT / "pyproject.toml").read_text())["project"]
    components = [*_of_python(DELIVERED, "required")]
    for name in TOOLS:
        components += _of_python(name, "excluded")
    components += _of_npm()
    components.sort(key=lambda one: one["purl"])
    content = json.dumps([project["version"], components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": project["name"],
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": components,
    }


def _of_python(file: str, scope: str) -> Iterator[Component]:
    for pin in pinned.in_files(file):
        hashes = [("SHA-256", one) for one in pin.hashes]
        yield _component(f"pkg:pypi/{pin.name}@{pin.version}", pin.name, pin.version, scope, hashes)


def _of_npm() -> Iterator[Component]:
    lock = json.loads((places.ROOT / "package-lock.json").read_text())
    found: dict[str, Component] = {}
    for path, package in lock["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{quote(name, safe='/')}@{package['version']}"
        algorithm, _, digest = package["integrity"].partition("-")
        hashes = [(ALGORITHMS[algorithm], base64.b64decode(digest).hex())]
        scope = "excluded" if package.get("dev") else "required"
        # the same version may lie in several folders, and one of them is enough to deliver it
        if found.get(purl, {}).get("scope") != "required":
            found[purl] = _component(purl, name, package["version"], scope, hashes)
    yield from found.values()


def _component(purl: str, name: str, version: str, scope: str, hashes: list[tuple[str, str]]) -> Component:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "scope": scope,
        "purl": purl,
        "hashes": [{"alg": algorithm, "content": digest} for algorithm, digest in hashes],
    }


def main() -> int:
    json.dump(document(), sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
