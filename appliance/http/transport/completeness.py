"""Whether a body is the whole file: the fields of the IETF's resumable uploads that say so.

`Upload-Complete` is that of the current draft, `Upload-Incomplete` its opposite in the drafts before the third.
"""

import re

from aiohttp import web

from appliance.domain.errors import MalformedRequest

COMPLETE = "Upload-Complete"
INCOMPLETE = "Upload-Incomplete"
_BOOLEAN = re.compile(r"[ \t]*\?([01])[ \t]*(?:;.*)?", re.ASCII | re.DOTALL)


def parse_complete(request: web.Request, field: str = COMPLETE) -> bool | None:
    """Whether the field declares that the upload ends with this body; None where it is missing or no Boolean.

    RFC 9651 has a field of several lines, or of several values in one, ignored. Here one that says "incomplete" counts,
    so that no part of a file is taken for the whole.
    """
    values = ",".join(request.headers.getall(field, ())).split(",")
    matches = [_BOOLEAN.fullmatch(value) for value in values]
    said = [(match[1] == "1") is not (field == INCOMPLETE) for match in matches if match]
    return all(said) if said else None


def refuse_unfinished(request: web.Request) -> None:
    """Raises MalformedRequest for a part of a file, where only whole files are accepted."""
    if parse_complete(request, COMPLETE) is False or parse_complete(request, INCOMPLETE) is False:
        raise MalformedRequest(
            "The request says that its file continues in other requests. Send the whole file, or begin a resumable "
            "upload: POST the bytes themselves, without a form, to /api/v1/images."
        )
