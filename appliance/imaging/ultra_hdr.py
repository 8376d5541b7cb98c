"""Ultra HDR as libultrahdr writes it: a JPEG whose segments tell of another one behind it, the gain map."""

from appliance.imaging.metadata.multi_picture import MPF_MARK, places, rewritten

ISO_MARK = b"urn:iso:std:iso:ts:21496:-1"
_MARKER_BYTES, _LENGTH_BYTES = 2, 2
_SOI_BYTES = 2


def with_other_image(ultra_hdr: bytes, jpeg: bytes) -> bytes:
    """The gain map behind this JPEG, and what is said of both in its header. Both files were written here."""
    (gain_map_at, gain_map_bytes), segment = _gain_map_of(ultra_hdr), _segment(ultra_hdr, MPF_MARK)
    gain_map = ultra_hdr[gain_map_at : gain_map_at + gain_map_bytes]
    header = jpeg[:_SOI_BYTES] + _segment(ultra_hdr, ISO_MARK)
    base_at = len(header) + _MARKER_BYTES + _LENGTH_BYTES + len(MPF_MARK)
    image_bytes = len(header) + len(segment) + len(jpeg) - _SOI_BYTES
    body = segment[_MARKER_BYTES + _LENGTH_BYTES :]
    images = rewritten(body, [(0, image_bytes), (image_bytes - base_at, len(gain_map))])
    if images is None or len(images) != len(body):
        raise ValueError("libultrahdr tells of its images in another way")
    return header + segment[: _MARKER_BYTES + _LENGTH_BYTES] + images + jpeg[_SOI_BYTES:] + gain_map


def _gain_map_of(ultra_hdr: bytes) -> tuple[int, int]:
    """Where the gain map begins, and its bytes."""
    at = ultra_hdr.index(MPF_MARK)
    offset, size = places(_segment(ultra_hdr, MPF_MARK)[_MARKER_BYTES + _LENGTH_BYTES :])[1]
    return at + len(MPF_MARK) + offset, size


def _segment(jpeg: bytes, mark: bytes) -> bytes:
    """The first segment with that mark, from its marker to its end."""
    body = jpeg.index(mark)
    start = body - _LENGTH_BYTES - _MARKER_BYTES
    return jpeg[start : body - _LENGTH_BYTES + int.from_bytes(jpeg[body - _LENGTH_BYTES : body], "big")]
