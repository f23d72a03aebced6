"""The app's static files under addresses that carry a hash of their content, so that browsers keep them for ever.

The hash stands before the path (`/static/~1f2e3d4c/js/app.js`) and covers one folder: a module that imports its
neighbour, or a stylesheet that names a picture, stays in the same version without being rewritten. A stylesheet goes out
with those that it imports in their places: a browser would ask for them only after it has read it. Text goes out
compressed; pages as `security/compression.py` says.

The files are listed once, at the start. What a request asks for is looked up in that list letter by letter and never
becomes part of a path: whatever is not a name of the list does not exist.
"""

import gzip
import hashlib
import mimetypes
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, Response, abort, request, send_file

A_YEAR = 31_536_000
TEXT = frozenset({".css", ".js", ".mjs", ".svg"})
IMPORT = re.compile(rb'^@import "([\w-]+\.css)";\n', re.MULTILINE)
ROOT = Path(__file__).parents[1] / "static"
Stamps = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Listing:
    """The files of one moment: name -> path, folder -> hash, and what was compressed of them so far."""

    stamps: Stamps
    files: dict[str, Path]
    versions: dict[str, str]
    small: dict[str, bytes] = field(default_factory=dict)


class Assets:
    """The list of what is served; in debug mode renewed whenever a file changed."""

    def __init__(self, root: Path, *, watch: bool = False) -> None:
        self.root = root
        self.watch = watch
        self._listing = _listed(root, _stamps(root))

    def listing(self) -> Listing:
        if self.watch and (stamps := _stamps(self.root)) != self._listing.stamps:
            self._listing = _listed(self.root, stamps)
        return self._listing

    def version(self, folder: str) -> str:
        """The hash of a folder; one that holds nothing has none that could be kept."""
        return self.listing().versions.get(folder, "none")

    def path(self, filename: str) -> str:
        """`~hash/css/base.css` for `css/base.css`."""
        return f"~{self.version(filename.partition('/')[0])}/{filename}"

    def file(self, filename: str) -> Path | None:
        """Where the file of exactly this name is; None for every name that is not in the list."""
        return self.listing().files.get(filename)

    def compressed(self, filename: str) -> bytes | None:
        """A text file as browsers that understand gzip get it, made at its first use; None for anything else."""
        listing = self.listing()
        file = listing.files.get(filename)
        if file is None or file.suffix not in TEXT:
            return None
        if filename not in listing.small:
            listing.small[filename] = gzip.compress(_whole(file), mtime=0)
        return listing.small[filename]


def _whole(file: Path) -> bytes:
    """What a file says, with the stylesheets that it imports from its folder."""
    said = file.read_bytes()
    if file.suffix != ".css":
        return said
    return IMPORT.sub(lambda found: _whole(file.with_name(found[1].decode())), said)


def _stamps(root: Path) -> Stamps:
    """Every plain file with its time and size. Links are left out: they may lead anywhere."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                stat = file.stat()
                found.append((file.relative_to(root).as_posix(), stat.st_mtime_ns, stat.st_size))
    return tuple(sorted(found))


def _listed(root: Path, stamps: Stamps) -> Listing:
    files = {name: root / name for name, _, _ in stamps}
    hashes = {name.partition("/")[0]: hashlib.sha256() for name in files if "/" in name}
    for name, file in files.items():
        if "/" in name:
            found = hashes[name.partition("/")[0]]
            found.update(name.encode())
            found.update(file.read_bytes())
    return Listing(stamps, files, {folder: found.hexdigest()[:12] for folder, found in hashes.items()})


def init_app(app: Flask) -> None:
    assets = Assets(ROOT, watch=app.debug)

    def asset(filename: str) -> str:
        """The address of a static file."""
        return f"{app.static_url_path}/{assets.path(filename)}"

    def static(filename: str) -> Response:
        version, name = "", filename
        if filename.startswith("~"):
            version, _, name = filename[1:].partition("/")
        file = assets.file(name)
        if file is None:
            abort(404)
        if version != assets.version(name.partition("/")[0]):
            # without a version, or a page from before a deployment: it gets today's file, which it must not keep
            return send_file(file, max_age=None)
        small = assets.compressed(name) if request.accept_encodings["gzip"] > 0 else None
        if small is None and file.suffix != ".css":
            response = send_file(file, max_age=A_YEAR)
        else:
            response = Response(small or _whole(file), mimetype=mimetypes.guess_type(name)[0])
            response.set_etag(f"{version}-gzip" if small else version)
            response.cache_control.max_age = A_YEAR
            if small:
                response.content_encoding = "gzip"
            response.make_conditional(request)
        response.vary.add("Accept-Encoding")
        response.cache_control.immutable = True
        return response

    app.view_functions["static"] = static
    app.jinja_env.globals["asset"] = asset
