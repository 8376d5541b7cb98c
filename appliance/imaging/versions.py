"""Which libvips is in use, what it can read and write, and whether that is enough."""

import pi_heif
import pyvips

from appliance.errors import UnfitInstallation

OLDEST = (8, 18)
_NEEDED = {
    "JPEG": ("jpegload_source", "jpegsave_buffer"),
    "PNG": ("pngload_source", "pngsave_buffer"),
    "GIF": ("gifload_source", "gifsave_buffer"),
    "WebP": ("webpload_source", "webpsave_buffer"),
    "TIFF": ("tiffload_source",),
    "AVIF": ("heifload_source", "heifsave_buffer"),
}
_MENDING = (
    "Most likely pip built pyvips against the system's libvips. Put the bundled one in its place again, last of all: "
    "pip install --force-reinstall --no-deps pyvips-binary"
)


def libvips_version() -> tuple[int, int, int]:
    """The version of the libvips in use."""
    return pyvips.version(0), pyvips.version(1), pyvips.version(2)


def formats_available() -> tuple[str, ...]:
    """The names of the needed formats that can be read and, where renditions use them, written."""
    names = [name for name, operations in _NEEDED.items() if all(map(_has, operations))]
    if pi_heif.libheif_info()["decoders"]:
        names.append("HEIC")
    return tuple(names)


def check_installation() -> None:
    """Raises UnfitInstallation, with words on how to mend it, for a libvips that is too old or lacks a format."""
    version = libvips_version()
    if version < OLDEST:
        in_use, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST))
        raise UnfitInstallation(f"libvips {in_use} is in use, but {oldest} or newer is needed. {_MENDING}")
    missing = [name for name in (*_NEEDED, "HEIC") if name not in formats_available()]
    if missing:
        raise UnfitInstallation(f"The image library in use can't handle {', '.join(missing)}. {_MENDING}")


def _has(operation: str) -> bool:
    return bool(pyvips.type_find("VipsOperation", operation))
