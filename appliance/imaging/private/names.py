"""What counts as private in the texts of a PNG."""

import re

XMP_NAME = re.compile(
    rb"G[Pp][Ss]\w*"
    rb"|\w*SerialNumber|SerialNo"
    rb"|(?:Camera)?OwnerName|CameraOwner"
    rb"|MakerNote|DNGPrivateData"
    rb"|(?:Absolute|Relative)Altitude|(?:Home)?(?:Latitude|Longitude|Altitude)|ISO6709"
    rb"|LocationCreated|LocationShown|Location|Sublocation|City|State|ProvinceState|Country|CountryCode|CountryName"
)
"""Local names of properties, whatever namespace they are in: drones and phones have their own."""


def is_private_name(qualified: bytes) -> bool:
    """Whether a property such as `exif:GPSLatitude` is private."""
    prefix, _, local = qualified.rpartition(b":")
    return prefix != b"xmlns" and XMP_NAME.fullmatch(local) is not None
