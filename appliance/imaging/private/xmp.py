"""XMP packets: private properties become blanks, whatever form RDF gives them; the XML around them stays as it is."""

import re
from collections.abc import Iterator

from appliance.imaging.private.names import XMP_NAME, is_private_name
from appliance.model import KeepMetadata

_EMPTY = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
_NAME = rb"[^\s<>/=\"'!?&][^\s<>/=\"'&]*+"
_TOKEN = re.compile(
    rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>"
    rb"|<(?P<close>/?)(?P<name>" + _NAME + rb")"
    rb"(?P<attributes>(?>[^<>\"'/]++|\"[^\"]*+\"|'[^']*+'|/(?!>))*+)(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"(" + _NAME + rb")\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+')", re.DOTALL)
_PRIVATE = rb"(?:[\w.-]++:)?(?:" + XMP_NAME.pattern + rb")"
_MENTION = re.compile(rb"</?" + _PRIVATE + rb"[\s/>]|\s(?!xmlns:)" + _PRIVATE + rb"\s*+=\s*+[\"']")


class _Torn(ValueError):
    """XML that ends within a private property."""


def clean_xmp(packet: bytes, _keep: KeepMetadata) -> bytes:
    """The packet without private properties. One that is not well-formed is emptied, if it mentions any."""
    plain = packet.rstrip(b"\0")
    if b"\0" in plain or b"<!DOCTYPE" in plain:  # UTF-16 or UTF-32; entities that may hide anything
        return _emptied(packet) if _MENTION.search(packet.replace(b"\0", b"")) else packet
    cleaned = bytearray(packet)
    try:
        for start, end in _private_spans(packet):
            cleaned[start:end] = b" " * (end - start)
    except _Torn:
        return _emptied(packet)
    return _emptied(packet) if _MENTION.search(cleaned) else bytes(cleaned)


def _private_spans(packet: bytes) -> Iterator[tuple[int, int]]:
    hidden, depth, start = b"", 0, 0
    for token in _TOKEN.finditer(packet):
        name = token["name"]
        if name is None:
            continue
        if hidden:
            if name == hidden and not token["empty"]:
                depth += -1 if token["close"] else 1
            if depth == 0:
                yield start, token.end()
                hidden = b""
        elif is_private_name(name):
            if token["empty"] or token["close"]:
                yield token.span()
            else:
                hidden, depth, start = name, 1, token.start()
        elif not token["close"]:
            yield from _private_attributes(packet, *token.span("attributes"))
    if hidden:
        raise _Torn


def _private_attributes(packet: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    for attribute in _ATTRIBUTE.finditer(packet, start, end):
        if is_private_name(attribute[1]):
            yield attribute.span()


def _emptied(packet: bytes) -> bytes:
    return _EMPTY.ljust(len(packet)) if len(packet) >= len(_EMPTY) else b" " * len(packet)
