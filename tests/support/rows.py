"""Images for the catalogue's tests, small to write and different in every field that matters."""

import hashlib
from typing import Any

from appliance.domain import slugs
from appliance.domain.model import Image

NOW_S = slugs.EPOCH_S + 100 * 86400
LATER = NOW_S + 10**9
YEAR_S = 365 * 86400


def slug(number: int) -> str:
    """The slugs of rising numbers rise."""
    minute = slugs.mint(NOW_S + 60 * number, lambda alphabet: alphabet[0])[: slugs.MINUTE_CHARS]
    return minute + f"{number:013d}"


def image(number: int = 0, **fields: object) -> Image:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    values: dict[str, Any] = {
        "slug": slug(number),
        "filename": f"Katze {number}.jpg",
        "media_type": "image/jpeg",
        "bytes": 829_183 + number,
        "sha256": digest,
        "width": 2725,
        "height": 2225,
        "created_s": NOW_S + 60 * number,
        "expires_s": NOW_S + YEAR_S + number,
        "token_hash": digest[::-1],
    }
    return Image(**(values | fields))
