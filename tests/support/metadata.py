"""Cleaning of files in this process, and what is left in them."""

import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from appliance.domain import file_edits
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata import find
from appliance.imaging.metadata.properties import PREFIXES
from tests.support.images import private_pictures
from tests.support.images.hidden_places import SECRET

MAKERS: dict[str, Callable[[], bytes]] = {
    "jpg": private_pictures.jpeg,
    "png": private_pictures.png,
    "webp": private_pictures.webp,
    "avif": private_pictures.avif,
    "gif": private_pictures.gif,
    "tif": private_pictures.tiff,
}


def found_in(data: bytes, keep: KeepMetadata = KeepMetadata.CREDITS) -> Findings:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return find(file.fileno(), keep)


def applied(data: bytes, found: Findings) -> bytes:
    changed = bytearray(data)
    for edit in found.edits:
        changed[edit.offset : edit.end] = (edit.pattern * edit.length)[: edit.length]
    return bytes(changed[: found.cut_at])


def inflated(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        if data[at : at + 2] in (b"\x78\x9c", b"\x78\xda", b"\x78\x01"):
            try:
                yield zlib.decompressobj().decompress(data[at:])
            except zlib.error:
                continue


def cleaned(data: bytes, keep: KeepMetadata = KeepMetadata.NOTHING) -> bytes:
    """The file without what goes; looking again finds nothing."""
    found = found_in(data, keep)
    assert found.complete
    carried = tuple(file_edits.unpack(file_edits.pack(found.edits), len(data)))
    after = applied(data, replace(found, edits=carried))
    assert found_in(after, keep) == Findings((), complete=True)
    return after


def holds(data: bytes, secret: bytes = SECRET) -> bool:
    """Whether the secret is anywhere in it: plain, in hexadecimal or compressed."""
    plain = data + b"".join(inflated(data))
    return secret in plain or secret.hex().encode() in plain


def xmp(description: str, *, wrapped: bool = True) -> bytes:
    """A packet with a description, in which D stands for rdf:Description and the prefixes are the usual ones."""
    named = re.sub(r"(</?)D\b", r"\1rdf:Description", description)
    used = "".join(f' xmlns:{prefix}="{space}"' for space, prefix in PREFIXES.items() if f"{prefix}:" in named)
    packet = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"{used}>{named}</rdf:RDF>'
    if wrapped:
        packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="A Toolkit">{packet}</x:xmpmeta><?xpacket end="w"?>'
    return packet.encode()
