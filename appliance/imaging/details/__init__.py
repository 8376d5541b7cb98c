"""Details of an original: what its EXIF, XMP, IPTC and colour profile say of it, as far as that may be told.

Everything here reads, in bounded amounts and for a bounded time.
"""

from appliance.imaging.details.reading import read_details

__all__ = ["read_details"]
