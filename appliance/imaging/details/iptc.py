"""What IPTC says: author, copyright and caption."""

from appliance.domain.model import KeepMetadata
from appliance.imaging.details.exif import MAX_TEXT_BYTES, Found, text_of
from appliance.imaging.metadata.iptc import datasets
from appliance.imaging.metadata.tags import IPTC_ALWAYS, IPTC_CREDITS

_TEXTS = {(2, 80): "author", (2, 116): "copyright", (2, 120): "caption"}
_MAX_TEXTS = 16


def told_by_iptc(data: bytes, keep: KeepMetadata) -> Found:
    """What the datasets say, as far as `keep` allows it; several authors as a list."""
    allowed = IPTC_CREDITS if keep is KeepMetadata.CREDITS else IPTC_ALWAYS
    found: dict[str, list[str]] = {}
    for kind, _, body, end in datasets(data):
        if kind in _TEXTS and (keep is KeepMetadata.ALL or kind in allowed):
            texts = found.setdefault(_TEXTS[kind], [])
            text = text_of(data[body : min(end, body + MAX_TEXT_BYTES)])
            if text and len(texts) < _MAX_TEXTS:
                texts.append(text)
    return {name: ", ".join(texts) for name, texts in found.items() if texts}
