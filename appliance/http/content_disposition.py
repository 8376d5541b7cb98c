"""File names in headers (RFC 6266): names in any script work, and none can break out of the header."""

import re
from urllib.parse import quote

from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.upload_options import clean_filename
from appliance.http.links import extension

UNSAFE = re.compile(r"""[^ -~]|["\\%;]""")
"""Characters that old clients may misread: everything but printable ASCII, and those with a meaning in headers."""
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z", re.ASCII)


def filename_with_extension(filename: str, media_type: str) -> str:
    """The name with an extension of its media type: an image saved as `x.html` would open in a browser as a page."""
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
    plain = UNSAFE.sub("_", filename)
    if plain == filename:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
