"""What differs between the drafts, by the interop versions that clients name.

URLSession is documented to speak 3 (iOS 17), 5 (iOS 18.0) and 6 (iOS 18.1).
"""

from dataclasses import dataclass

from aiohttp import web

from appliance.http.transport.completeness import COMPLETE, INCOMPLETE

FIELD = "Upload-Draft-Interop-Version"


@dataclass(frozen=True, slots=True)
class InteropVersion:
    """One interop version.

    `completeness` is the field that says whether an upload ends with a request, `needs_media_type` whether appended
    bytes must be `application/partial-upload`, `lifetime` the limit with the seconds that an upload is kept, and
    `appended` the status of a response to bytes that weren't the last.
    """

    number: int
    completeness: str = COMPLETE
    needs_media_type: bool = True
    lifetime: str = "max-age"
    appended: int = 204

    @property
    def is_inverted(self) -> bool:
        """Whether the field is true while bytes are missing."""
        return self.completeness == INCOMPLETE


CURRENT = InteropVersion(9)
VERSIONS = {
    version.number: version
    for version in (
        InteropVersion(3, INCOMPLETE, needs_media_type=False, lifetime="expires", appended=201),  # draft 01
        InteropVersion(4, needs_media_type=False, lifetime="expires", appended=201),  # draft 02
        InteropVersion(5, needs_media_type=False, lifetime="expires", appended=201),  # draft 03
        InteropVersion(6, lifetime="expires", appended=201),  # drafts 04 and 05
        InteropVersion(7),  # drafts 06 to 08
        InteropVersion(8),  # drafts 09 to 11
        CURRENT,  # draft 12
    )
}


def named_version(request: web.Request) -> InteropVersion | None:
    """The interop version that the request names; None if it names none, or one that this host doesn't know."""
    text = request.headers.get(FIELD, "").strip()
    return VERSIONS.get(int(text)) if text.isascii() and text.isdecimal() and len(text) <= 4 else None
