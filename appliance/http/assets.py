"""The static files, whole in memory, under addresses that change with their content."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import appliance

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
MAX_ASSET_BYTES = 4_000_000


def web_root() -> Path:
    """The folder of templates and static files: `web` in a checkout, `_web` in an installed wheel."""
    package = Path(appliance.__file__).parent
    installed = package / "_web"
    return installed if installed.is_dir() else package.parent / "web"


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file. `version` is a hash of its content: an address with it can be cached for ever."""

    data: bytes
    media_type: str
    version: str


class Assets:
    """Every static file of known type under a folder, read once at start; names are relative, with slashes."""

    def __init__(self, folder: Path) -> None:
        self._assets = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _MEDIA_TYPES and path.stat().st_size <= MAX_ASSET_BYTES
        }

    def get(self, name: str) -> Asset | None:
        return self._assets.get(name)

    def url(self, name: str) -> str:
        """`/static/style.css?v=…`. Raises KeyError for a file that is not there, which only a template can cause."""
        return f"/static/{name}?v={self._assets[name].version}"


def _read(path: Path) -> Asset:
    data = path.read_bytes()
    return Asset(data, _MEDIA_TYPES[path.suffix], hashlib.sha256(data).hexdigest()[:12])
