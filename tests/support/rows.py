"""Rows for the catalogue's tests, small to write and different in every field that matters."""

import hashlib
from typing import Any

from appliance.domain import slugs
from appliance.domain.flat_image import flatten, unflatten
from appliance.domain.model import Album, Image
from appliance.domain.resumable_uploads import Upload, UploadKind

NOW_S = slugs.EPOCH_S + 100 * 86400
LATER = NOW_S + 10**9
YEAR_S = 365 * 86400


def slug(number: int) -> str:
    """The slugs of rising numbers rise."""
    minute = slugs.shard(NOW_S + 60 * number)
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
    return unflatten(values | fields)


def changed(image: Image, **fields: object) -> Image:
    """The image with other values, by their names in a flat record."""
    return unflatten(flatten(image) | fields)


def upload(number: int = 0, **fields: object) -> Upload:
    values: dict[str, Any] = {
        "id_hash": hashlib.sha256(f"upload {number}".encode()).hexdigest(),
        "kind": UploadKind.PLAIN,
        "slug": slug(number),
        "token_hash": "ab" * 32,
        "length": 10,
        "filename": "a.jpg",
        "title": None,
        "alt": None,
        "expires_in_s": None,
        "metadata": "",
        "concat": "",
        "created_s": NOW_S,
        "expires_s": LATER,
    }
    return Upload(**(values | fields))


def album(number: int = 0, **fields: object) -> Album:
    values: dict[str, Any] = {
        "slug": slug(number),
        "images": (slug(1), slug(0)),
        "token_hash": "cd" * 32,
        "created_s": NOW_S,
        "due_s": NOW_S + YEAR_S,
        "title": f"Album {number}",
    }
    return Album(**(values | fields))
