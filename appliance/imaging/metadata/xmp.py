"""XMP packets: the properties that may stay are written into a packet of the same length, from nothing."""

import codecs
import re

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata import rdf
from appliance.imaging.metadata.properties import NEEDED, Name, Rule, StructRule, Text, rules
from appliance.imaging.metadata.rdf import List, Packet, Properties, Struct, Value

_MAX_PACKET_BYTES = 4 * 1024 * 1024
_MAX_ITEMS = 64
_BLANKS = b"\0 \t\r\n"
_WIDE = tuple(map(codecs.lookup, ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")))
"""Looked up here: Python imports a codec when it is first asked for, and by then a worker can't open its file."""
_NARROW = {name: codecs.lookup(name) for name in ("iso-8859-1", "us-ascii", "windows-1252")}
_DECLARED = re.compile(rb"""<\?xml [^<>]{0,60}encoding=["']([\w.-]{1,40})["']""")
_MAX_LANGUAGE = 35


def clean_xmp(packet: bytes, keep: KeepMetadata) -> bytes:
    """A packet of the properties that may stay; all blanks where there are none, or where it can't be read."""
    nothing = b" " * len(packet)
    try:
        said = Packet(decoded(packet))
    except Unclear:
        return nothing
    kept = _kept(said.properties, keep)
    if not kept:
        return nothing
    if not said.extra and kept == said.properties:
        return packet
    needed = {name: value for name, value in kept.items() if name in NEEDED}
    for properties, wrapped in ((kept, said.wrapped), (kept, False), (needed, False)):
        written = rdf.written(properties, len(packet), wrapped=wrapped) if properties else None
        if written is not None:
            return written
    return nothing


def decoded(packet: bytes) -> bytes:
    """The packet in UTF-8, whatever it was in. Raises Unclear."""
    if len(packet) > _MAX_PACKET_BYTES:
        raise Unclear("more XMP than is looked at")
    plain = packet.strip(_BLANKS)
    if b"\0" not in plain:
        return _from_narrow(plain)
    for encoding in _WIDE:
        try:
            text, _ = encoding.decode(packet)
        except UnicodeDecodeError:
            continue
        if text.lstrip("\ufeff \r\n\t\0").startswith("<"):
            return text.strip("\ufeff \r\n\t\0").encode("utf-8", "replace")
    raise Unclear("XMP in an encoding of its own")


def _from_narrow(packet: bytes) -> bytes:
    """The same in UTF-8, where the packet declares one of the encodings of a byte a letter."""
    declared = _DECLARED.match(packet)
    encoding = _NARROW.get(declared[1].decode().lower()) if declared else None
    return encoding.decode(packet, "replace")[0].encode() if encoding else packet


def _kept(properties: Properties, keep: KeepMetadata) -> Properties:
    allowed = rules(keep)
    found = {name: _filtered(value, allowed[name]) for name, value in properties.items() if name in allowed}
    return {name: value for name, value in found.items() if value is not None}


def _filtered(value: Value, rule: Rule) -> Value | None:
    """The value as far as the rule allows it."""
    if isinstance(value, List):
        return _filtered_list(value, rule)
    if isinstance(rule, Text):
        return value if isinstance(value, str) and rule.form.fullmatch(value) else None
    return _filtered_struct(value, rule) if isinstance(value, Struct) else None


def _filtered_list(value: List, rule: Rule) -> List | None:
    found = [(language, _filtered(one, rule)) for language, one in value.items[:_MAX_ITEMS]]
    items = tuple((language, one) for language, one in found if one is not None and len(language) <= _MAX_LANGUAGE)
    enough = rule.at_least if isinstance(rule, StructRule) else 1
    return List(value.kind, items) if len(items) >= enough else None


def _filtered_struct(value: Struct, rule: StructRule) -> Struct | None:
    found: list[tuple[Name, Value]] = []
    for name, one in value.fields:
        left = _filtered(one, rule.rules[name]) if name in rule.rules else None
        if left is not None:
            found.append((name, left))
    names = {name for name, _ in found}
    return Struct(tuple(found)) if found and names >= rule.needed else None
