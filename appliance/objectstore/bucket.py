"""One bucket of an S3 server, in blocking calls. The only file that knows the minio package.

The SDK does everything but sending: its multipart calls are private and want each part whole in memory, so `send`
signs with the SDK's signer and lets urllib3 read the body from disk.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlunsplit
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from minio.helpers import BaseURL, check_bucket_name
from minio.signer import sign_v4_s3
from minio.time import to_amz_date, utcnow
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.connections import SEND_TIMEOUT, connection_pool
from appliance.objectstore.faults import S3Refusal, explain_failure, explain_refusal
from appliance.objectstore.port import METADATA_PREFIX, ObjectEntry, ObjectInfo, StoreNotCreated, is_key
from appliance.objectstore.reader import CHUNK_BYTES
from appliance.objectstore.slices import FileSlice, md5_of
from appliance.objectstore.xml_replies import field_of

UNSIGNED = "UNSIGNED-PAYLOAD"
FORBIDDEN = 403

Body = FileSlice | bytes


class MultipartUploadMissing(StoreUnavailable):
    """The store knows no multipart upload by this id: it is complete, was aborted, or grew too old."""


class Bucket:
    """Raises StoreUnavailable for every fault, ObjectMissing where an object was asked for that is not there."""

    def __init__(
        self,
        *,
        endpoint: str,
        name: str,
        access_key: str,
        secret_key: str,
        secure: bool,
        region: str,
        max_connections: int,
    ) -> None:
        check_bucket_name(name)
        scheme, _, host = endpoint.rpartition("://")
        scheme = scheme or ("https" if secure else "http")
        host = host.rstrip("/")
        self.where = f"The object store at {host}"
        self._name = name
        self._region = region  # always given, so that no request is spent on asking for it
        self._http = connection_pool(max_connections, CHUNK_BYTES)
        self._credentials = StaticProvider(access_key, secret_key)
        self._url = BaseURL(f"{scheme}://{host}", region)
        self._client = Minio(
            host, secure=scheme == "https", region=region, credentials=self._credentials, http_client=self._http
        )

    # --- the bucket itself ----------------------------------------------------------------------------------------

    def make(self) -> None:
        """Create the bucket where it is missing. Raises StoreNotCreated where the key may not create it."""
        if not self._exists():
            self._create()
            self.check()

    def check(self) -> None:
        """Raises StoreNotCreated where the bucket is missing."""
        if not self._exists():
            raise StoreNotCreated(f"{self.where}: {explain_refusal(S3Refusal(404, 'NoSuchBucket'), self._name, '')}.")

    def _exists(self) -> bool:
        with self.faults_named():
            try:
                return self._client.bucket_exists(self._name)
            except S3Error as error:
                if error.response.status != FORBIDDEN:
                    raise
        # A HEAD has no body that says what is forbidden. A listing does, and needs the same permission.
        self.send("GET", None, {"list-type": "2", "max-keys": "1"}, {}, b"")
        return True

    def _create(self) -> None:
        with self.faults_named():
            try:
                self._client.make_bucket(self._name)
            except S3Error as error:
                if error.code == "AccessDenied":
                    raise StoreNotCreated(
                        f"{self.where}: there is no bucket {self._name}, and the key isn't allowed to create one. "
                        "Create the bucket, or allow the key s3:CreateBucket."
                    ) from error
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise

    # --- sending --------------------------------------------------------------------------------------------------

    def put(self, key: str, body: Body, headers: dict[str, str]) -> None:
        self.send("PUT", key, {}, headers, body)

    def delete(self, key: str) -> None:
        with suppress(ObjectMissing), self.faults_named(key):
            self._client.remove_object(self._name, key)

    # --- reading --------------------------------------------------------------------------------------------------

    def get(self, key: str, start: int = 0, length: int | None = None) -> "Response":
        """Raises ValueError for a range past the end, besides the rest."""
        try:
            return self._get(key, start, length)
        except _RangeEmpty:
            if start:
                raise ValueError(f"start {start} is not inside of {key}") from None
            return self._get(key, 0, None)  # the object is empty, and a server may refuse any range of it

    def _get(self, key: str, start: int, length: int | None) -> "Response":
        with self.faults_named(key):
            response = self._client.get_object(self._name, key, offset=start, length=length or 0)
            ranged = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            is_empty = not start and response.headers.get("Content-Length") == "0"
            if (start or length) and not ranged and not is_empty:
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

    def entries(self, prefix: str, after: str) -> Iterator[ObjectEntry]:
        """As `ObjectStore.list`."""
        with self.faults_named():
            for found in self._client.list_objects(
                self._name, prefix=prefix, recursive=True, start_after=after or None
            ):
                modified_s = found.last_modified.timestamp() if found.last_modified else 0.0
                if is_key(key := str(found.object_name)):
                    yield ObjectEntry(key, found.size or 0, modified_s)

    def close(self) -> None:
        self._http.clear()

    # --- requests and faults --------------------------------------------------------------------------------------

    def send(
        self, method: str, key: str | None, query: dict[str, Any], headers: dict[str, str], body: Body
    ) -> BaseHTTPResponse:
        """One signed request for a key, or for the bucket; the signature covers the payload's MD5."""
        url = self._url.build(
            method=method, region=self._region, bucket_name=self._name, object_name=key, query_params=query
        )
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
            region=self._region,
            headers=dict(unsigned),
            credentials=self._credentials.retrieve(),
            content_sha256=UNSIGNED,
            date=now,
        )
        with self.faults_named(key):
            response = self._http.urlopen(method, urlunsplit(url), body=body, headers=signed, timeout=SEND_TIMEOUT)
            if response.status not in (200, 204):
                raise self.refusal_of(response)
            return response

    @staticmethod
    def refusal_of(response: BaseHTTPResponse) -> S3Refusal:
        """What the error document in a response to `send` says."""
        return S3Refusal(response.status, field_of(response.data, "Code"), _region_of(response))

    @contextmanager
    def faults_named(self, key: str | None = None) -> Iterator[None]:
        """Whatever the SDK or urllib3 raise becomes ObjectMissing (of `key`) or StoreUnavailable, in words."""
        try:
            yield
        except (MinioException, S3Refusal) as error:
            refusal = error if isinstance(error, S3Refusal) else _refusal_of(error)
            if key and refusal.code in ("NoSuchKey", "NoSuchObject"):
                raise ObjectMissing(f"The store has no object {key}.") from error
            if refusal.code == "InvalidRange":
                raise _RangeEmpty from error
            kind = {"NoSuchUpload": MultipartUploadMissing, "NoSuchBucket": StoreNotCreated}.get(
                refusal.code or "", StoreUnavailable
            )
            raise kind(f"{self.where}: {explain_refusal(refusal, self._name, self._region)}.") from error
        except (HTTPError, ParseError) as error:
            raise StoreUnavailable(f"{self.where} {explain_failure(error)}.") from error


class Response:
    """A response body that is being read, with its faults in words. `size` is its length in bytes."""

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


class _RangeEmpty(Exception):
    """The range holds no byte of the object."""


def _refusal_of(error: MinioException) -> S3Refusal:
    match error:
        case S3Error():  # a HEAD has no body to tell a missing bucket from a missing key; MinIO tells it in a header
            response = error.response
            return S3Refusal(
                response.status, response.headers.get("x-minio-error-code") or error.code, _region_of(response)
            )
        case ServerError():
            return S3Refusal(error.status_code)
        case InvalidResponseError():  # also what the SDK makes of an error whose type is text/xml
            text = str(error)
            status = re.search(r"Response code: (\d+)", text)
            return S3Refusal(int(status[1]) if status else 0, field_of(text.encode(), "Code"))
        case _:
            return S3Refusal(0)


def _region_of(response: BaseHTTPResponse) -> str | None:
    """The bucket's region, where an error response says it."""
    return response.headers.get("x-amz-bucket-region") or field_of(response.data or b"", "Region")
