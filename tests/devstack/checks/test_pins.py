"""The check of pins finds a planted requirement without a hash, a file that is in no list, and packages that cannot be together."""

from pathlib import Path

from devstack.checks import pins

HASH = f"--hash=sha256:{'a' * 64}"


def test_pins_with_hashes_are_right(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"# a comment\n-r other.txt\nFlask==3.1.3 \\\n    {HASH}\n")
    assert list(pins.complaints(tmp_path)) == []


def test_what_has_no_hash_or_no_version_is_found_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"Flask==3.1.3 \\\n    {HASH}\nJinja2==3.1.6\nMako>=1\n")
    assert list(pins.complaints(tmp_path)) == [
        "requirements.txt:3: Jinja2==3.1.6 has no hash; bin/pins writes them",
        "requirements.txt:4: not NAME==VERSION with hashes: Mako>=1",
    ]


def test_a_file_that_is_in_no_list_is_found(tmp_path: Path) -> None:
    (tmp_path / "bench" / "new").mkdir(parents=True)
    (tmp_path / "bench" / "new" / "requirements.txt").write_text("")
    assert list(pins.complaints(tmp_path)) == [
        "bench/new/requirements.txt: not in the list of devstack/install/pinned.py"
    ]


def test_a_package_that_wants_another_version_of_one_that_is_installed_is_found(tmp_path: Path) -> None:
    assert pins.contradictions() == []
    wants = tmp_path / "wants_an_old_flask-1.0.dist-info"
    wants.mkdir()
    (wants / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: wants-an-old-flask\nVersion: 1.0\nRequires-Dist: flask<1\n"
    )
    (found,) = pins.contradictions(PYTHONPATH=str(tmp_path))
    assert found.startswith("wants-an-old-flask 1.0 has requirement flask<1")
