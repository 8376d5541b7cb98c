"""What a PNG's own texts say: author, copyright and caption."""

from collections.abc import Mapping

from appliance.domain.model import KeepMetadata
from appliance.imaging.details.exif import Found

_PROTECTED = {"copyright": "Copyright"}
_CREDITS = _PROTECTED | {"author": "Author"}
_KEYWORDS = {
    KeepMetadata.NOTHING: _PROTECTED,
    KeepMetadata.CREDITS: _CREDITS,
    KeepMetadata.ALL: _CREDITS | {"caption": "Description"},
}


def told_by_texts(texts: Mapping[str, str], keep: KeepMetadata) -> Found:
    """What the texts say, by their keywords, as far as `keep` allows it."""
    return {name: texts[keyword] for name, keyword in _KEYWORDS[keep].items() if keyword in texts}
