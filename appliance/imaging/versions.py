"""Which libvips is in use, what it can read and write, and whether that is enough."""

import pi_heif
import pyvips

from appliance.domain.errors import UnfitInstallation
from appliance.domain.formats import ACCEPTED_NAMES, HEIC, FormatSpec
from appliance.imaging.encoders import SAVERS
from appliance.imaging.sources import LOADERS

OLDEST = (8, 18)
_MENDING = (
    "Most likely pip built pyvips against the system's libvips. Put the bundled one in its place again, last of all: "
    "pip install --force-reinstall --no-deps pyvips-binary"
)


def libvips_version() -> tuple[int, int, int]:
    """The version of the libvips in use."""
    return pyvips.version(0), pyvips.version(1), pyvips.version(2)


def formats_available() -> tuple[str, ...]:
    """The names of the needed formats that can be read and, where renditions use them, written."""
    names = [spec.name for spec in LOADERS if all(map(_has, _operations(spec)))]
    if pi_heif.libheif_info()["decoders"]:
        names.append(HEIC.name)
    return tuple(names)


def check_installation() -> None:
    """Raises UnfitInstallation, with words on how to mend it, for a libvips that is too old or lacks a format."""
    version = libvips_version()
    if version < OLDEST:
        in_use, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST))
        raise UnfitInstallation(f"libvips {in_use} is in use, but {oldest} or newer is needed. {_MENDING}")
    missing = [name for name in ACCEPTED_NAMES if name not in formats_available()]
    if missing:
        raise UnfitInstallation(f"The image library in use can't handle {', '.join(missing)}. {_MENDING}")


def _operations(spec: FormatSpec) -> list[str]:
    """Those of libvips that read a format, and write it where renditions do."""
    savers = [saver for format_, (saver, _) in SAVERS.items() if format_.media_type == spec.media_type]
    return [LOADERS[spec], *savers]


def _has(operation: str) -> bool:
    return bool(pyvips.type_find("VipsOperation", operation))
