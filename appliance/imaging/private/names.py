"""What counts as private: positions, device serials, owners' names, and maker notes, which hold all of them.

Dates, credits (artist, copyright, photographer), camera models and settings are not private: they stay.
"""

import re

GPS_IFD = 0x8825
MAKER_NOTE = 0x927C
TAGS = frozenset(
    {
        GPS_IFD,
        MAKER_NOTE,
        0xA430,  # CameraOwnerName
        0xA431,  # BodySerialNumber
        0xA435,  # LensSerialNumber
        0xC62F,  # DNG: CameraSerialNumber
        0xC634,  # DNG: private data, a maker note by another name
        0xFDE8,  # OwnerName, as Camera Raw writes it
        0xFDE9,  # SerialNumber, likewise
    }
)
"""TIFF and EXIF tags."""

IPTC_DATASETS = frozenset({26, 27, 90, 92, 95, 100, 101})
"""Of IIM record 2: content location (code, name), city, sublocation, state, country (code, name)."""

XMP_NAME = re.compile(
    rb"G[Pp][Ss]\w*"
    rb"|\w*SerialNumber|SerialNo"
    rb"|(?:Camera)?OwnerName|CameraOwner"
    rb"|MakerNote|DNGPrivateData"
    rb"|(?:Absolute|Relative)Altitude|(?:Home)?(?:Latitude|Longitude|Altitude)|ISO6709"
    rb"|LocationCreated|LocationShown|Location|Sublocation|City|State|ProvinceState|Country|CountryCode|CountryName"
)
"""Local names of XMP properties, whatever namespace they are in: drones and phones have their own."""


def is_private_name(qualified: bytes) -> bool:
    """Whether a property such as `exif:GPSLatitude` is private."""
    prefix, _, local = qualified.rpartition(b":")
    return prefix != b"xmlns" and XMP_NAME.fullmatch(local) is not None
