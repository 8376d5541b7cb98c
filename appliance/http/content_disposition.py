"""File names in headers: RFC 6266, so that a name in any script survives and none can break out of the header."""

import re
from urllib.parse import quote

from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.upload_options import clean_filename
from appliance.http.links import extension

ODD = re.compile(r"""[^ -~]|["\\%;]""")
"""What old clients may misread in a name: anything but printable ASCII, and what has a meaning in headers."""
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z", re.ASCII)


def typed_name(filename: str, media_type: str) -> str:
    """The name under an extension of what the file is: a saved `x.html` would open in a browser as a page."""
    suffix = SUFFIX.search(filename)
    if suffix and suffix[0][1:].lower() in _extensions(media_type):
        return filename
    stem = filename[: suffix.start()] if suffix else filename
    return clean_filename(f"{stem or 'image'}.{extension(media_type)}")


def _extensions(media_type: str) -> tuple[str, ...]:
    known = BY_MEDIA_TYPE.get(media_type)
    return (extension(media_type), *(known.other_extensions if known else ()))


def content_disposition(filename: str, *, attachment: bool) -> str:
    """The header's value, with an ASCII fallback for old clients."""
    kind = "attachment" if attachment else "inline"
    plain = ODD.sub("_", filename)
    if plain == filename:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
