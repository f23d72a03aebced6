"""Our own static files under addresses that carry a hash of their content, so that browsers keep them for ever.

The hash stands before the path (`/static/~1f2e3d4c/js/app.js`) and covers one folder: a module that imports its
neighbour, or a stylesheet that names a picture, stays in the same version without being rewritten. Text goes out
compressed; pages do not, since they hold tokens beside what visitors typed.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response, abort, request, send_from_directory

A_YEAR = 31_536_000
TEXT = frozenset({".css", ".js", ".mjs", ".svg"})
ROOT = Path(__file__).parents[1] / "static"


class Assets:
    """One hash a folder, taken at the first use; in debug mode taken again whenever a file changed."""

    def __init__(self, root: Path, *, watch: bool = False) -> None:
        self.root = root
        self.watch = watch
        self._known: dict[str, tuple[float, str]] = {}
        self._small: dict[str, tuple[str, bytes]] = {}

    def version(self, folder: str) -> str:
        known = self._known.get(folder)
        changed = (
            max((file.stat().st_mtime for file in self._files(folder)), default=0.0) if self.watch else 0.0
        )
        if known is None or known[0] != changed:
            known = self._known[folder] = (changed, self._hash(folder))
        return known[1]

    def path(self, filename: str) -> str:
        """`~hash/css/base.css` for `css/base.css`."""
        return f"~{self.version(filename.partition('/')[0])}/{filename}"

    def compressed(self, filename: str) -> bytes | None:
        """A text file as browsers that understand gzip get it, made at its first use; None for anything else."""
        file = self.root / filename
        if file.suffix not in TEXT or not file.is_file():
            return None
        version = self.version(filename.partition("/")[0])
        known = self._small.get(filename)
        if known is None or known[0] != version:
            known = self._small[filename] = (version, gzip.compress(file.read_bytes(), mtime=0))
        return known[1]

    def _files(self, folder: str) -> Iterator[Path]:
        return (file for file in sorted((self.root / folder).rglob("*")) if file.is_file())

    def _hash(self, folder: str) -> str:
        found = hashlib.sha256()
        for file in self._files(folder):
            found.update(str(file.relative_to(self.root)).encode())
            found.update(file.read_bytes())
        return found.hexdigest()[:12]


def init_app(app: Flask) -> None:
    assets = Assets(ROOT, watch=app.debug)

    def asset(filename: str) -> str:
        """The address of one of our static files."""
        return f"{app.static_url_path}/{assets.path(filename)}"

    def static(filename: str) -> Response:
        if not filename.startswith("~"):
            return send_from_directory(ROOT, filename, max_age=None)
        version, _, name = filename[1:].partition("/")
        folder, _, rest = name.partition("/")
        if not rest or not (ROOT / folder).is_dir() or ".." in folder:
            abort(404)
        if version != assets.version(folder):
            # a page from before a deployment: it gets today's file, which it must not keep
            return send_from_directory(ROOT, name, max_age=None)
        body = assets.compressed(name) if request.accept_encodings["gzip"] > 0 else None
        if body is None:
            response = send_from_directory(ROOT, name, max_age=A_YEAR)
        else:
            response = Response(body, mimetype=mimetypes.guess_type(name)[0])
            response.content_encoding = "gzip"
            response.set_etag(f"{version}-gzip")
            response.cache_control.max_age = A_YEAR
            response.make_conditional(request)
        response.vary.add("Accept-Encoding")
        response.cache_control.immutable = True
        return response

    app.view_functions["static"] = static
    app.jinja_env.globals["asset"] = asset
