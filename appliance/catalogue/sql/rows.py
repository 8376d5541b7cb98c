"""Rows as values and back: columns have the names of flat records; hashes are 32 bytes, not 64 letters."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from appliance.catalogue.sql.connection import Cursor
from appliance.domain.flat_image import FACTS_FIELDS, OWN_FIELDS, flatten
from appliance.domain.model import (
    Album,
    ContentCredentials,
    Ending,
    IdempotencyRecord,
    Image,
    KeepMetadata,
    Location,
    PrivateData,
    Tombstone,
)
from appliance.domain.renditions import Facts
from appliance.domain.resumable_uploads import Refusal, Upload, UploadKind, UploadState

Row = Image | Tombstone
COLUMNS = (*OWN_FIELDS, *FACTS_FIELDS)
_UPLOAD_FIELDS = tuple(field.name for field in fields(Upload))
UPLOAD_COLUMNS = (*_UPLOAD_FIELDS, "keep_credits")
ALBUM_COLUMNS = tuple(field.name for field in fields(Album))
_AT = {name: place for place, name in enumerate(COLUMNS)}
_FACTS_AT = len(OWN_FIELDS)
_SHA256, _TOKEN_HASH = _AT["sha256"], _AT["token_hash"]
_HAS_ALPHA, _PROGRESSIVE = _AT["has_alpha"], _AT["progressive"]
_LOCATION, _ENDED, _PRIVATE_DATA = _AT["location"], _AT["ended"], _AT["private_data"]
_INCOMPLETE, _ONE_VIEW = _AT["incomplete"], _AT["one_view"]
_CONTENT_CREDENTIALS, _KEEP_METADATA = _AT["content_credentials"], _AT["keep_metadata"]
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_TEXT_MARK = b"\0text:"


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A whole row: the image, and the marks that only jobs look at. `erasing` is set once it can't be restored."""

    image: Image
    prewarmed: bool
    sidecar_due: bool
    erasing: bool


def packed(digest: str) -> bytes:
    """Digests in hex take half the room as bytes; anything else is a marked text."""
    if _HEX.fullmatch(digest) and not digest.startswith(_TEXT_MARK.hex()):
        return bytes.fromhex(digest)
    return _TEXT_MARK + digest.encode()


def unpacked(stored: bytes | str) -> str:
    """The digest again; older releases stored as text what is not in hex."""
    if isinstance(stored, str):
        return stored
    return stored.removeprefix(_TEXT_MARK).decode() if stored.startswith(_TEXT_MARK) else stored.hex()


def image_values(image: Image) -> dict[str, Any]:
    """The parameters that write the image."""
    values = flatten(image)
    values["sha256"] = packed(image.sha256)
    values["token_hash"] = packed(image.token_hash)
    values["location"] = image.location.value
    values["ended"] = image.ended and image.ended.value
    values["private_data"] = image.private_data.value
    values["content_credentials"] = image.content_credentials.value
    values["keep_metadata"] = image.keep_metadata and image.keep_metadata.value
    return values


def image_of(row: tuple[Any, ...]) -> Image:
    """The image in a result row, which starts with `COLUMNS`."""
    values = list(row[: len(COLUMNS)])
    values[_SHA256] = unpacked(values[_SHA256])
    values[_TOKEN_HASH] = unpacked(values[_TOKEN_HASH])
    values[_HAS_ALPHA] = bool(values[_HAS_ALPHA])
    values[_PROGRESSIVE] = bool(values[_PROGRESSIVE])
    values[_LOCATION] = Location(values[_LOCATION])
    values[_ENDED] = values[_ENDED] and Ending(values[_ENDED])
    values[_PRIVATE_DATA] = PrivateData(values[_PRIVATE_DATA])
    values[_CONTENT_CREDENTIALS] = ContentCredentials(values[_CONTENT_CREDENTIALS])
    values[_KEEP_METADATA] = values[_KEEP_METADATA] and KeepMetadata(values[_KEEP_METADATA])
    values[_INCOMPLETE] = bool(values[_INCOMPLETE])
    values[_ONE_VIEW] = bool(values[_ONE_VIEW])
    slug, filename, *own = values[:_FACTS_AT]
    return Image(slug, filename, Facts(*values[_FACTS_AT:]), *own)


def image_row_of(row: tuple[Any, ...]) -> ImageRow:
    prewarmed, sidecar_due, erasing = row[len(COLUMNS) :]
    return ImageRow(image_of(row), bool(prewarmed), bool(sidecar_due), bool(erasing))


def image_row_values(row: ImageRow) -> Mapping[str, Any]:
    marks = {"prewarmed": row.prewarmed, "sidecar_due": row.sidecar_due, "erasing": row.erasing}
    return image_values(row.image) | marks


def images_of(cursor: Cursor) -> list[Image]:
    return [image_of(row) for row in cursor.fetchall()]


def rebuilt_image_values(image: Image) -> Mapping[str, Any]:
    """The parameters of an image that comes from the store: there is nothing left to do for it."""
    return image_row_values(ImageRow(image, prewarmed=True, sidecar_due=False, erasing=False))


def tombstone_values(tombstone: Tombstone) -> dict[str, Any]:
    return asdict(tombstone) | {"ended": tombstone.ended.value}


def tombstone_of(row: tuple[Any, ...]) -> Tombstone:
    slug, ended, ended_s = row
    return Tombstone(slug, Ending(ended), ended_s)


def idempotency_values(record: IdempotencyRecord) -> dict[str, Any]:
    return {
        "key_hash": packed(record.key_hash),
        "slug": record.slug,
        "fingerprint": packed(record.fingerprint),
        "created_s": record.created_s,
        "secret": record.secret,
    }


def idempotency_of(row: tuple[Any, ...]) -> IdempotencyRecord:
    key_hash, slug, fingerprint, created_s, secret = row
    return IdempotencyRecord(unpacked(key_hash), slug, unpacked(fingerprint), created_s, secret)


def upload_values(upload: Upload) -> dict[str, Any]:
    values = {name: getattr(upload, name) for name in _UPLOAD_FIELDS}
    values["id_hash"] = packed(upload.id_hash)
    values["token_hash"] = upload.token_hash and packed(upload.token_hash)
    values["kind"] = upload.kind.value
    values["state"] = upload.state.value
    values["refusal"] = refusal_text(upload.refusal)
    values["keep_metadata"] = upload.keep_metadata is KeepMetadata.ALL
    values["keep_credits"] = upload.keep_metadata is KeepMetadata.CREDITS
    return values


def refusal_text(refusal: Refusal | None) -> str | None:
    return None if refusal is None else json.dumps(asdict(refusal))


def upload_of(row: tuple[Any, ...]) -> Upload:
    values = dict(zip(UPLOAD_COLUMNS, row, strict=True))
    values["id_hash"] = unpacked(values["id_hash"])
    values["token_hash"] = values["token_hash"] and unpacked(values["token_hash"])
    values["kind"] = UploadKind(values["kind"])
    values["state"] = UploadState(values["state"])
    values["refusal"] = values["refusal"] and Refusal(**json.loads(values["refusal"]))
    values["had_credentials"] = bool(values["had_credentials"])
    values["is_open"] = bool(values["is_open"])
    values["one_view"] = bool(values["one_view"])
    values["keep_metadata"] = _keep_metadata(everything=values["keep_metadata"], credits=values.pop("keep_credits"))
    return Upload(**values)


def _keep_metadata(*, everything: int, credits: int) -> KeepMetadata:
    """Two columns, so that a release that knows only the first one keeps no more than was asked for."""
    if everything:
        return KeepMetadata.ALL
    return KeepMetadata.CREDITS if credits else KeepMetadata.NOTHING


def album_values(album: Album, *, sidecar_due: bool) -> dict[str, Any]:
    values = {name: getattr(album, name) for name in ALBUM_COLUMNS}
    values["images"] = json.dumps(album.images)
    values["token_hash"] = packed(album.token_hash)
    values["ended"] = album.ended and album.ended.value
    return values | {"sidecar_due": sidecar_due}


def album_of(row: tuple[Any, ...]) -> Album:
    values = dict(zip(ALBUM_COLUMNS, row, strict=True))
    values["images"] = tuple(json.loads(values["images"]))
    values["token_hash"] = unpacked(values["token_hash"])
    values["ended"] = values["ended"] and Ending(values["ended"])
    return Album(**values)
