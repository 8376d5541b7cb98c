"""ICC profiles: how an image's numbers become colours. Calibrators add the display's serial number: that goes."""

import struct

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.ranges import merged

_HEAD_BYTES, _ENTRY_BYTES, _MAX_TAGS = 128, 12, 1024
_ID = slice(84, 100)
_TAGS = frozenset(
    b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad chrm cicp lumi meas tech view vued desc cprt dmnd dmdd"
    b" A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 B2D0 B2D1 B2D2 B2D3 D2B0 D2B1 D2B2 D2B3 gamt"
    b" aarg aagg aabg arts ciis clro clrt clot ncl2 pre0 pre1 pre2 rig0 rig2".split()
)


def clean_icc(data: bytes, _keep: KeepMetadata) -> bytes:
    """The profile with the tags that colours are made of; what isn't a profile becomes zeros."""
    if len(data) < _HEAD_BYTES + 4 or data[36:40] != b"acsp":
        return bytes(len(data))
    count = int.from_bytes(data[_HEAD_BYTES : _HEAD_BYTES + 4], "big")
    if count > _MAX_TAGS:
        return bytes(len(data))
    start = _HEAD_BYTES + 4
    table = data[start : start + min(count, (len(data) - start) // _ENTRY_BYTES) * _ENTRY_BYTES]
    kept = [tag for tag in struct.iter_unpack(">4sII", table) if tag[0] in _TAGS and tag[1] + tag[2] <= len(data)]
    cleaned = bytearray(len(data))
    for first, end in merged((at, at + length) for _, at, length in kept):
        cleaned[first:end] = data[first:end]
    packed = len(kept).to_bytes(4, "big") + b"".join(struct.pack(">4sII", *tag) for tag in kept)
    cleaned[:_HEAD_BYTES] = data[:_HEAD_BYTES]
    cleaned[_HEAD_BYTES : _HEAD_BYTES + len(packed)] = packed
    if cleaned != data:
        cleaned[_ID] = bytes(16)
    return bytes(cleaned)
