"""The requests of S3's multipart uploads, in blocking calls."""

import re
from contextlib import suppress
from dataclasses import dataclass

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.bucket import Bucket, MultipartUploadMissing
from appliance.objectstore.slices import FileSlice
from appliance.objectstore.xml_replies import elements_of, field_of


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that the store has. `tag` is its MD5 in hex, unless the store encrypts with keys of its own."""

    bytes: int
    tag: str


class MultipartRequests:
    """Raises StoreUnavailable for every fault."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def begin(self, key: str, headers: dict[str, str]) -> str:
        """Begin a multipart upload. Returns its id."""
        response = self._bucket.send("POST", key, {"uploads": ""}, headers, b"")
        return self._require_field("UploadId", response.data)

    def put_part(self, key: str, upload: str, number: int, body: FileSlice) -> str:
        """Send one part, counted from 1. Returns the tag that `complete` wants. Raises MultipartUploadMissing."""
        query = {"partNumber": str(number), "uploadId": upload}
        return self._bucket.send("PUT", key, query, {}, body).headers.get("ETag", "").strip('"')

    def parts(self, key: str, upload: str) -> dict[int, StoredPart]:
        """The parts that the store has of a multipart upload, by number. Raises MultipartUploadMissing."""
        found: dict[int, StoredPart] = {}
        marker = "0"
        while True:
            query = {"uploadId": upload, "part-number-marker": marker}
            page = self._bucket.send("GET", key, query, {}, b"").data
            for document in elements_of(page, "Part"):
                tag = re.search(rb"[0-9a-fA-F]{32}", document.partition(b"<ETag>")[2])
                number, size = (int(self._require_field(name, document)) for name in ("PartNumber", "Size"))
                found[number] = StoredPart(size, tag[0].decode() if tag else "")
            following = field_of(page, "NextPartNumberMarker")
            if field_of(page, "IsTruncated") != "true" or not following or following == marker:
                return found
            marker = following

    def unfinished(self, key: str) -> list[str]:
        """The ids of the key's unfinished multipart uploads; the first thousand, which is more than there ever are.

        MinIO lists those of one key alone, so nothing here asks for those of all keys.
        """
        page = self._bucket.send("GET", None, {"uploads": "", "prefix": key}, {}, b"").data
        uploads = elements_of(page, "Upload")
        return [self._require_field("UploadId", document) for document in uploads if field_of(document, "Key") == key]

    def complete(self, key: str, upload: str, tags: list[str]) -> None:
        """Make the object out of its parts, in the order of `tags`. Raises MultipartUploadMissing."""
        parts = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{tag}"</ETag></Part>' for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        response = self._bucket.send("POST", key, {"uploadId": upload}, {"Content-Type": "application/xml"}, body)
        with self._bucket.faults_named():  # S3 starts its reply before it knows the outcome: a 200 can hold an error
            if b"<Error>" in response.data:
                raise self._bucket.refusal_of(response)

    def abort(self, key: str, upload: str) -> None:
        """Drop a multipart upload and its parts; an unknown one is fine."""
        with suppress(MultipartUploadMissing, ObjectMissing):
            self._bucket.send("DELETE", key, {"uploadId": upload}, {}, b"")

    def _require_field(self, name: str, document: bytes) -> str:
        if found := field_of(document, name):
            return found
        raise StoreUnavailable(f"{self._bucket.where} answered without {name}, so it isn't an S3 server.")
