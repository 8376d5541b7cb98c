"""File names in headers: RFC 6266, so that a name in any script survives and none can break out of the header."""

from urllib.parse import quote


def content_disposition(filename: str, *, attachment: bool) -> str:
    """The header's value, with an ASCII fallback for old clients."""
    kind = "attachment" if attachment else "inline"
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in filename)
    if plain == filename:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
