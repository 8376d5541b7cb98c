"""Records in the store, from which the catalogue can be rebuilt: of images, albums and tombstones.

An image has user metadata on its original, written once with it. It has a sidecar too, a JSON object that holds the
whole image, where something doesn't fit the metadata or has changed since; the sidecar wins over the metadata. An album
and a tombstone are a JSON object each.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import quote, unquote

from appliance.domain.flat_image import flatten, unflatten
from appliance.domain.model import (
    Album,
    ContentCredentials,
    Ending,
    Image,
    KeepMetadata,
    Location,
    PrivateData,
    Tombstone,
)
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.objectstore.port import MAX_METADATA_BYTES, METADATA_PREFIX, ObjectInfo, metadata_bytes

PLAIN = "!#$&'()*+,-./:;=?@[]^_`{}~"  # not escaped, so that people can read them; blanks at the ends would be lost
MAX_REASON_BYTES = 400
RECORD_TYPE = "application/json"
MAX_EXTENSION_CHARS = 16

_NUMBERS = {
    "created": "created_s",
    "expires": "expires_s",
    "width": "width",
    "height": "height",
    "frames": "frames",
    "memory": "memory_bytes",
    "version": "version",
}
_FLAGS = {"alpha": "has_alpha", "progressive": "progressive", "incomplete": "incomplete"}
_PLAIN_TEXTS = {"slug": "slug", "sha256": "sha256", "token-hash": "token_hash"}
_ALBUM_FIELDS = tuple(field.name for field in fields(Album))


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """What is stored with an original: its user metadata, and whether a sidecar has to hold the rest."""

    metadata: Mapping[str, str]
    needs_sidecar: bool


MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What JSON of others raises while it is read as a record: the last two for endless numbers and very deep nesting."""


class UnreadableRecord(ValueError):
    """A record that describes no image, album or tombstone; the message says which and why."""


def metadata_of(image: Image) -> dict[str, str]:
    """The original's user metadata: printable ASCII, 1792 bytes at most with its names.

    A file name or a reason that does not fit is shortened; the record needs a sidecar then.
    """
    values = flatten(image)
    metadata = {name: str(values[field]) for name, field in (_PLAIN_TEXTS | _NUMBERS).items()}
    metadata |= {name: "1" for name, field in _FLAGS.items() if values[field]}
    if image.private_data is not PrivateData.KEPT:
        metadata["private"] = image.private_data.value
    if image.content_credentials is not ContentCredentials.KEPT:
        metadata["credentials"] = image.content_credentials.value
    if image.keep_metadata is not None:
        metadata["keep"] = image.keep_metadata.value
    if image.access_key is not None:
        metadata["access-key"] = image.access_key
    if image.is_closed:
        metadata["locked"] = "1"  # so that it is never shown without its sidecar, which has the lock
    if image.invite is not None:
        metadata["invite"] = image.invite
    if image.original_only is not None:
        metadata["original-only"] = _shortened(image.original_only, MAX_REASON_BYTES)
    room = MAX_METADATA_BYTES - metadata_bytes(metadata) - len(METADATA_PREFIX) - len("filename")
    metadata["filename"] = _shortened_filename(image.filename, room)
    return {name: value for name, value in metadata.items() if value}


def record_of(image: Image) -> ObjectRecord:
    """The image's record. It needs a sidecar where `metadata_of` can't hold all of the image."""
    metadata, stored = metadata_of(image), replace(image, location=Location.STORE, node=None)
    is_complete = image.version == 1 and _from_metadata(image.media_type, image.bytes, metadata) == stored
    return ObjectRecord(metadata, needs_sidecar=not is_complete)


def sidecar_of(image: Image) -> bytes:
    """The sidecar: JSON with every field of the image but where its original is."""
    document = flatten(image)
    del document["location"], document["node"]
    return json.dumps(document, sort_keys=True, indent=1).encode()


def album_record(album: Album) -> bytes:
    """The album's object: JSON with every field."""
    document = {field: getattr(album, field) for field in _ALBUM_FIELDS}
    return json.dumps(document, sort_keys=True, indent=1).encode()


def album_from(key: str, record: bytes) -> Album:
    """The album that the object at `key` holds. Raises UnreadableRecord."""
    try:
        document = json.loads(record)
        known = {field: document[field] for field in _ALBUM_FIELDS if field in document}
        ended = known.pop("ended", None)
        known["lock"] = _lock(document)
        known["images"] = tuple(str(slug) for slug in known["images"])
        return Album(**known, ended=Ending(ended) if ended else None)
    except MALFORMED as error:
        raise UnreadableRecord(f"{key} does not describe an album: {error!r}") from error


def tombstone_record(tombstone: Tombstone) -> bytes:
    """The object that remembers a deleted image: JSON. What concerns the bin is there only while it waits there."""
    document: dict[str, object] = {"slug": tombstone.slug, "ended": tombstone.ended, "ended_s": tombstone.ended_s}
    if tombstone.restorable_until_s is not None:
        document |= {"restorable_until_s": tombstone.restorable_until_s, "version": tombstone.version}
    return json.dumps(document).encode()


def tombstone_from(key: str, record: bytes) -> Tombstone:
    """Raises UnreadableRecord."""
    try:
        document = json.loads(record)
        until_s = document.get("restorable_until_s")
        return Tombstone(
            slug=str(document["slug"]),
            ended=Ending(document["ended"]),
            ended_s=int(document["ended_s"]),
            restorable_until_s=None if until_s is None else int(until_s),
            version=int(document.get("version", 0)),
        )
    except MALFORMED as error:
        raise UnreadableRecord(f"{key} does not describe a tombstone: {error!r}") from error


def image_from(info: ObjectInfo, sidecar: bytes | None = None) -> Image:
    """The image whose original `info` describes, as its sidecar says, or without one its metadata.

    Raises UnreadableRecord.
    """
    try:
        if sidecar is not None:
            return _from_sidecar(json.loads(sidecar))
        return _from_metadata(info.media_type, info.bytes, info.metadata)
    except MALFORMED as error:
        part = "metadata" if sidecar is None else "sidecar"
        raise UnreadableRecord(f"the {part} of {info.key} does not describe an image: {error!r}") from error


def as_stored(image: Image, info: ObjectInfo) -> Image:
    """The image with the bytes that its object has: a crash may come between a new object and its sidecar.

    Raises UnreadableRecord.
    """
    if info.metadata.get("sha256", image.sha256) == image.sha256:
        return image
    stored = image_from(info)
    return replace(
        image,
        bytes=stored.bytes,
        sha256=stored.sha256,
        private_data=stored.private_data,
        content_credentials=stored.content_credentials,
    )


def _from_sidecar(document: Mapping[str, Any]) -> Image:
    ended, keep = document.get("ended"), document.get("keep_metadata")
    typed = {
        "ended": Ending(ended) if ended else None,
        "private_data": PrivateData(document.get("private_data", PrivateData.KEPT)),
        "content_credentials": ContentCredentials(document.get("content_credentials", ContentCredentials.KEPT)),
        "keep_metadata": KeepMetadata(keep) if keep else None,
        "lock": _lock(document),
        "location": Location.STORE,
        "node": None,
    }
    return unflatten({**document, **typed})


def _lock(document: Mapping[str, Any]) -> str | None:
    """The lock; one that can't be one stays locked."""
    lock = document.get("lock")
    return lock if lock is None or (isinstance(lock, str) and lock) else UNREADABLE_LOCK


def _from_metadata(media_type: str, bytes_: int, metadata: Mapping[str, str]) -> Image:
    known: dict[str, Any] = {field: metadata[name] for name, field in _PLAIN_TEXTS.items()}
    known |= {field: int(metadata[name]) for name, field in _NUMBERS.items()}
    known |= {field: metadata.get(name) == "1" for name, field in _FLAGS.items()}
    known |= {
        "filename": _decoded(metadata, "filename"),
        "media_type": media_type,
        "bytes": bytes_,
        "original_only": _decoded(metadata, "original-only") if "original-only" in metadata else None,
        "private_data": PrivateData(metadata.get("private", PrivateData.KEPT)),
        "content_credentials": ContentCredentials(metadata.get("credentials", ContentCredentials.KEPT)),
        "keep_metadata": KeepMetadata(metadata["keep"]) if "keep" in metadata else None,
        "access_key": metadata.get("access-key"),
        "lock": UNREADABLE_LOCK if "locked" in metadata else None,
        "invite": metadata.get("invite"),
        "location": Location.STORE,
    }
    return unflatten(known)


def _encoded(text: str) -> str:
    return quote(text, safe=PLAIN, errors="surrogatepass")


def _decoded(metadata: Mapping[str, str], name: str) -> str:
    return unquote(metadata.get(name, ""), errors="surrogatepass")


def _shortened(text: str, max_bytes: int) -> str:
    """The text, encoded, and shortened to fit."""
    while len(encoded := _encoded(text)) > max_bytes:
        # An escaped character has at most 12 bytes, so at least this many must go.
        text = text[: -max(1, (len(encoded) - max_bytes) // 12)]
    return encoded


def _shortened_filename(filename: str, max_bytes: int) -> str:
    stem, dot, extension = filename.rpartition(".")
    if not stem or len(extension) > MAX_EXTENSION_CHARS:
        return _shortened(filename, max_bytes)
    kept = _encoded(dot + extension)
    return _shortened(stem, max_bytes - len(kept)) + kept
