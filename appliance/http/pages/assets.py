"""The static files, held in memory, with addresses that change with their content."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import appliance
from appliance.domain.errors import UnfitInstallation
from appliance.http.compression import compress_file, is_text

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
MAX_ASSET_BYTES = 4_000_000
BUILT = "built"
"""The folder that `make web` builds from `web/src` and `web/styles`."""
_SHARED = f"{BUILT}/chunk-"  # shared by several scripts; the name contains a hash of the content
_IMPORT = re.compile(rb'\b(?:from|import)"\./(chunk-\w+\.js)"')
"""What a built script imports as it starts; `import(…)` is loaded on demand."""


def web_root() -> Path:
    """The folder of templates and static files: `web` in a checkout, `_web` in an installed wheel."""
    package = Path(appliance.__file__).parent
    installed = package / "_web"
    return installed if installed.is_dir() else package.parent / "web"


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file. `version` is a hash of its content, so an address with it can be cached for ever.

    `gzipped` is None if compressing saves little.
    """

    data: bytes
    media_type: str
    version: str
    gzipped: bytes | None = None


class Assets:
    """Every static file of a known type in a folder, read once at start. Names are relative paths.

    `generated` adds files that depend on the configuration, by name.
    """

    def __init__(self, folder: Path, generated: Mapping[str, bytes] | None = None) -> None:
        self._assets = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _MEDIA_TYPES and path.stat().st_size <= MAX_ASSET_BYTES
        }
        self._assets |= {name: _asset(name, data) for name, data in (generated or {}).items()}

    def get(self, name: str) -> Asset | None:
        return self._assets.get(name)

    def __getitem__(self, name: str) -> Asset:
        return self._assets[name]

    def is_current(self, name: str, version: str | None) -> bool:
        """Whether this address will always have the same content. The file must exist."""
        return version == self._assets[name].version or name.startswith(_SHARED)

    def url(self, name: str) -> str:
        """`/static/style.css?v=…`. Raises KeyError for an unknown file, which is a mistake in a template."""
        return f"/static/{name}?v={self._assets[name].version}"

    def script_imports(self, name: str) -> list[str]:
        """The addresses of what a built script imports, and these import, which a page can have loaded with it."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            imports = _IMPORT.findall(self._assets[waiting.pop()].data)
            new = [each for each in (f"{BUILT}/{match.decode()}" for match in imports) if each not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return [f"/static/{each}" for each in found]


def check_built(folder: Path) -> None:
    """Raises UnfitInstallation if the scripts and styles aren't built, as in a fresh checkout."""
    if not any(folder.joinpath(BUILT).glob("*.css")):
        raise UnfitInstallation("The scripts and styles of the pages are not built. Run `make web` in the checkout.")


def _read(path: Path) -> Asset:
    return _asset(path.name, path.read_bytes())


def _asset(name: str, data: bytes) -> Asset:
    media_type = _MEDIA_TYPES[PurePosixPath(name).suffix]
    short = compress_file(data) if is_text(media_type.partition(";")[0]) else data
    version = hashlib.sha256(data).hexdigest()[:12]
    return Asset(data, media_type, version, short if len(short) < 0.9 * len(data) else None)
