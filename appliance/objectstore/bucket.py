"""One bucket of an S3 server, in blocking calls. The only file that knows the minio package.

The SDK does all but sending: its own multipart calls are private and want each part whole in memory, so `_send` signs
with the SDK's signer and lets urllib3 read the body from disk.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlunsplit
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from minio.helpers import BaseURL, check_bucket_name
from minio.signer import sign_v4_s3
from minio.time import to_amz_date, utcnow
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore import faults
from appliance.objectstore.base import METADATA_PREFIX, ObjectEntry, ObjectInfo
from appliance.objectstore.reader import CHUNK_BYTES
from appliance.objectstore.slices import FileSlice, md5_of

REGION = "us-east-1"  # MinIO's default; given, so that no request is spent on asking for it
# urllib3 sends bodies under the connect timeout, and a disk under load makes MinIO stop reading for seconds.
READ_TIMEOUT = Timeout(connect=2, read=8)
SEND_TIMEOUT = Timeout(connect=8, read=30)
UNSIGNED = "UNSIGNED-PAYLOAD"

Body = FileSlice | bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store has. `tag` is its MD5 in hex, unless the store encrypts with keys of its own."""

    bytes: int
    tag: str


class TransferForgotten(StoreUnavailable):
    """The store knows no transfer by this id: it is complete, was aborted, or grew too old."""


class Bucket:
    """Raises StoreUnavailable for every fault, ObjectMissing where an object was asked for that is not there."""

    def __init__(
        self, *, endpoint: str, name: str, access_key: str, secret_key: str, secure: bool, connections: int
    ) -> None:
        check_bucket_name(name)
        scheme, _, host = endpoint.rpartition("://")
        scheme = scheme or ("https" if secure else "http")
        host = host.rstrip("/")
        self.where = f"The object store at {host}"
        self._name = name
        self._http = PoolManager(
            num_pools=2,
            maxsize=connections,
            blocksize=CHUNK_BYTES,
            timeout=READ_TIMEOUT,
            retries=_StaleConnectionRetry(total=1, redirect=0, status=0, other=0, allowed_methods=None),
        )
        self._credentials = StaticProvider(access_key, secret_key)
        self._url = BaseURL(f"{scheme}://{host}", REGION)
        self._client = Minio(
            host, secure=scheme == "https", region=REGION, credentials=self._credentials, http_client=self._http
        )

    def make(self) -> None:
        """Create the bucket where it is missing."""
        with self.faults_named():
            if self._client.bucket_exists(self._name):
                return
            try:
                self._client.make_bucket(self._name)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise
        self.check()

    def check(self) -> None:
        with self.faults_named():
            if not self._client.bucket_exists(self._name):
                raise _Refusal("NoSuchBucket", 404)

    def put(self, key: str, body: Body, headers: dict[str, str]) -> None:
        self._send("PUT", key, {}, headers, body)

    def begin(self, key: str, headers: dict[str, str]) -> str:
        """Begin a multipart upload, which is then known by the id that this gives."""
        response = self._send("POST", key, {"uploads": ""}, headers, b"")
        return self._field("UploadId", response.data)

    def put_part(self, key: str, upload: str, number: int, body: FileSlice) -> str:
        """Send one part, counted from 1; gives the tag that `complete` wants. Raises TransferForgotten."""
        query = {"partNumber": str(number), "uploadId": upload}
        return self._send("PUT", key, query, {}, body).headers.get("ETag", "").strip('"')

    def parts(self, key: str, upload: str) -> dict[int, Part]:
        """The parts that a transfer has brought so far, by number. Raises TransferForgotten."""
        found: dict[int, Part] = {}
        marker = "0"
        while True:
            query = {"uploadId": upload, "part-number-marker": marker}
            page = self._send("GET", key, query, {}, b"").data
            for document in _every("Part", page):
                tag = re.search(rb"[0-9a-fA-F]{32}", document.partition(b"<ETag>")[2])
                number, size = (int(self._field(name, document)) for name in ("PartNumber", "Size"))
                found[number] = Part(size, tag[0].decode() if tag else "")
            following = _found("NextPartNumberMarker", page)
            if _found("IsTruncated", page) != "true" or not following or following == marker:
                return found
            marker = following

    def unfinished(self, key: str) -> list[str]:
        """The ids of transfers that were begun for the key; the first thousand, which is more than there ever are.

        MinIO lists those of one key alone, so nothing here asks for those of all.
        """
        page = self._send("GET", None, {"uploads": "", "prefix": key}, {}, b"").data
        return [
            self._field("UploadId", document) for document in _every("Upload", page) if _found("Key", document) == key
        ]

    def complete(self, key: str, upload: str, tags: list[str]) -> None:
        """Make the object out of its parts, in the order of `tags`. Raises TransferForgotten."""
        parts = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{tag}"</ETag></Part>' for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        response = self._send("POST", key, {"uploadId": upload}, {"Content-Type": "application/xml"}, body)
        with self.faults_named():  # S3 starts its reply before it knows: a 200 can hold an error
            if b"<Error>" in response.data:
                raise _Refusal(_found("Code", response.data), response.status)

    def abort(self, key: str, upload: str) -> None:
        """Forget the parts; that nothing is known of them is fine."""
        with suppress(TransferForgotten, ObjectMissing):
            self._send("DELETE", key, {"uploadId": upload}, {}, b"")

    def get(self, key: str, start: int = 0, length: int | None = None) -> "Response":
        """Raises ValueError for a range past the end, besides the rest."""
        with self.faults_named(key):
            response = self._client.get_object(self._name, key, offset=start, length=length or 0)
            ranged = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            if (start or length) and not ranged:
                response.close()
                raise StoreUnavailable(f"{self.where} doesn't support range requests.")
            return Response(response, self)

    def stat(self, key: str) -> ObjectInfo:
        with self.faults_named(key):
            found = self._client.stat_object(self._name, key)
        headers = {name.lower(): value for name, value in (found.metadata or {}).items()}
        return ObjectInfo(
            key=key,
            bytes=found.size or 0,
            modified_s=found.last_modified.timestamp() if found.last_modified else 0.0,
            media_type=found.content_type or "application/octet-stream",
            metadata={
                name.removeprefix(METADATA_PREFIX): value
                for name, value in headers.items()
                if name.startswith(METADATA_PREFIX)
            },
        )

    def delete(self, key: str) -> None:
        with suppress(ObjectMissing), self.faults_named(key):
            self._client.remove_object(self._name, key)

    def entries(self, prefix: str, after: str) -> Iterator[ObjectEntry]:
        with self.faults_named():
            for found in self._client.list_objects(
                self._name, prefix=prefix, recursive=True, start_after=after or None
            ):
                modified_s = found.last_modified.timestamp() if found.last_modified else 0.0
                yield ObjectEntry(str(found.object_name), found.size or 0, modified_s)

    def close(self) -> None:
        self._http.clear()

    def _send(
        self, method: str, key: str | None, query: dict[str, Any], headers: dict[str, str], body: Body
    ) -> BaseHTTPResponse:
        """One signed request for a key, or for the bucket; the signature covers the payload's MD5."""
        url = self._url.build(method=method, region=REGION, bucket_name=self._name, object_name=key, query_params=query)
        now = utcnow()
        unsigned = headers | {
            "Host": url.netloc,
            "Content-Length": str(body.length if isinstance(body, FileSlice) else len(body)),
            "Content-MD5": b64encode(body.md5() if isinstance(body, FileSlice) else md5_of(body)).decode(),
            "x-amz-content-sha256": UNSIGNED,
            "x-amz-date": to_amz_date(now),
        }
        signed: Any = sign_v4_s3(
            method=method,
            url=url,
            region=REGION,
            headers=dict(unsigned),
            credentials=self._credentials.retrieve(),
            content_sha256=UNSIGNED,
            date=now,
        )
        with self.faults_named(key):
            response = self._http.urlopen(method, urlunsplit(url), body=body, headers=signed, timeout=SEND_TIMEOUT)
            if response.status not in (200, 204):
                raise _Refusal(_found("Code", response.data), response.status)
            return response

    def _field(self, name: str, document: bytes) -> str:
        if found := _found(name, document):
            return found
        raise StoreUnavailable(f"{self.where} answered without {name}, so it isn't an S3 server.")

    @contextmanager
    def faults_named(self, key: str | None = None) -> Iterator[None]:
        """Whatever the SDK or urllib3 raise becomes ObjectMissing (of `key`) or StoreUnavailable, in words."""
        try:
            yield
        except (MinioException, _Refusal) as error:
            code, status = _code_and_status(error)
            if key and code in ("NoSuchKey", "NoSuchObject"):
                raise ObjectMissing(f"The store has no object {key}.") from error
            if code == "InvalidRange":
                raise ValueError(f"the range holds no byte of {key}") from error
            kind = TransferForgotten if code == "NoSuchUpload" else StoreUnavailable
            raise kind(f"{self.where}: {faults.meaning(code, status, self._name)}.") from error
        except (HTTPError, ParseError) as error:
            raise StoreUnavailable(f"{self.where} {faults.failing(error)}.") from error


class Response:
    """A reply that is being read, with its faults in words. `size` is the body's length in bytes."""

    def __init__(self, response: BaseHTTPResponse, bucket: Bucket) -> None:
        self.size = int(response.headers.get("Content-Length", 0))
        self._response = response
        self._bucket = bucket

    def read(self, max_bytes: int) -> bytes:
        with self._bucket.faults_named():
            return self._response.read(max_bytes, decode_content=False)

    def close(self) -> None:
        self._response.close()
        self._response.release_conn()


class _Refusal(Exception):
    """An error reply to a request of our own."""

    def __init__(self, code: str | None, status: int) -> None:
        super().__init__(f"{status} {code}")
        self.code = code
        self.status = status


class _StaleConnectionRetry(Retry):
    """Tries once more where a kept connection turned out to be closed; a server that is too slow is not asked twice."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> "_StaleConnectionRetry":
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _code_and_status(error: Exception) -> tuple[str | None, int]:
    match error:
        case _Refusal():
            return error.code, error.status
        case S3Error():  # a HEAD has no body to tell a missing bucket from a missing key; MinIO tells it in a header
            return error.response.headers.get("x-minio-error-code") or error.code, error.response.status
        case ServerError():
            return None, error.status_code
        case InvalidResponseError():  # also what the SDK makes of an error whose type is text/xml
            text = str(error)
            status = re.search(r"Response code: (\d+)", text)
            return _found("Code", text.encode()), int(status[1]) if status else 0
        case _:
            return None, 0


def _every(name: str, document: bytes) -> list[bytes]:
    """What stands in each element of that name."""
    return re.findall(rf"<{name}>(.*?)</{name}>".encode(), document, re.DOTALL)


def _found(name: str, document: bytes) -> str | None:
    found = re.search(rf"<{name}>([^<]+)</{name}>".encode(), document)
    return found[1].decode() if found else None
