"""Reading the few fields that are needed from an S3 server's XML. The patterns are linear in the document's length."""

import re


def field_of(document: bytes, name: str) -> str | None:
    """The text of the first element of that name, None where there is none."""
    found = re.search(rf"<{name}>([^<]+)</{name}>".encode(), document)
    return found[1].decode(errors="replace") if found else None


def elements_of(document: bytes, name: str) -> list[bytes]:
    """The content of each element of that name."""
    return re.findall(rf"<{name}>(.*?)</{name}>".encode(), document, re.DOTALL)
