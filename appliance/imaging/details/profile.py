"""What a colour profile says: its name."""

import codecs

from appliance.imaging.details.exif import MAX_TEXT_BYTES, Found, text_of

_HEAD_BYTES, _ENTRY_BYTES, _MAX_TAGS = 128, 12, 100
_ENGLISH = b"en"
_MAX_LANGUAGES = 100


def told_by_profile(profile: bytes) -> Found:
    """Its description in English, or else in its first language (ICC.1, 10.15; of older ones ICC.1:2001, 6.5.17)."""
    for number in range(min(_number(profile, _HEAD_BYTES), _MAX_TAGS)):
        at = _HEAD_BYTES + 4 + number * _ENTRY_BYTES
        if profile[at : at + 4] == b"desc":
            start, length = _number(profile, at + 4), _number(profile, at + 8)
            return {"colour_profile": _description(profile[start : start + length])}
    return {}


def _description(tag: bytes) -> str | None:
    if tag.startswith(b"desc"):
        return text_of(tag[12 : 12 + min(_number(tag, 8), MAX_TEXT_BYTES)])
    if not tag.startswith(b"mluc"):
        return None
    records = [tag[at : at + 12] for at in range(16, 16 + 12 * min(_number(tag, 8), _MAX_LANGUAGES), 12)]
    chosen = next((record for record in records if record.startswith(_ENGLISH)), records[0] if records else b"")
    start, length = _number(chosen, 8), min(_number(chosen, 4), MAX_TEXT_BYTES)
    return codecs.utf_16_be_decode(tag[start : start + length], "ignore")[0].partition("\0")[0].strip() or None


def _number(data: bytes, at: int) -> int:
    """Zero beyond the end."""
    return int.from_bytes(data[at : at + 4], "big") if at + 4 <= len(data) else 0
