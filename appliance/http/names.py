"""File names in headers: RFC 6266, so that a name in any script survives and none can break out of the header."""

import re
from urllib.parse import quote

from appliance.http.links import extension
from appliance.upload_options import safe_filename

SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z", re.ASCII)
OTHER_SUFFIXES = {
    "image/jpeg": ("jpeg", "jpe", "jfif"),
    "image/png": ("apng",),
    "image/tiff": ("tif",),
    "image/heic": ("heif",),
    "image/heif": ("heic",),
}
"""What else files of a type are called."""


def typed_name(filename: str, media_type: str) -> str:
    """The name under an extension of what the file is: a saved `x.html` would open in a browser as a page."""
    suffix = SUFFIX.search(filename)
    if suffix and suffix[0][1:].lower() in (extension(media_type), *OTHER_SUFFIXES.get(media_type, ())):
        return filename
    stem = filename[: suffix.start()] if suffix else filename
    return safe_filename(f"{stem or 'image'}.{extension(media_type)}")


def content_disposition(filename: str, *, attachment: bool) -> str:
    """The header's value, with an ASCII fallback for old clients."""
    kind = "attachment" if attachment else "inline"
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in filename)
    if plain == filename:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
