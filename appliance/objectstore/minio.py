"""The S3 store, made for a MinIO next to the server: `Bucket`'s blocking calls on threads, large files in parts."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from appliance.domain.errors import StoreUnavailable
from appliance.objectstore import files, multipart
from appliance.objectstore.bucket import Bucket, Response
from appliance.objectstore.multipart import MAX_OBJECT_BYTES, MultipartUploader
from appliance.objectstore.pending_uploads import PendingUploads
from appliance.objectstore.port import (
    METADATA_PREFIX,
    ObjectEntry,
    ObjectInfo,
    check_range,
    checked_key,
    checked_metadata,
)
from appliance.objectstore.reader import CHUNK_BYTES, ObjectReader
from appliance.objectstore.slices import FileSlice
from appliance.shared.files import reading, writing
from appliance.shared.threads import Stop, Threads
from appliance.shared.throttle import Throttle

DEFAULT_REGION = "us-east-1"
READ_THREADS = 16
WRITE_THREADS = 8  # their own, so that shipping never keeps viewers waiting
PAUSE_S = 0.02  # for each 256 KiB: while small objects are put, each connection of a large one keeps 12 MB/s


class MinioStore:
    """Keeps objects in one bucket of an S3 server. The contract is `ObjectStore`'s."""

    name = "minio"
    max_object_bytes = MAX_OBJECT_BYTES

    def __init__(
        self,
        *,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        journal: Path,
        secure: bool = True,
        region: str = DEFAULT_REGION,
        part_bytes: int = multipart.PART_BYTES,
    ) -> None:
        """`endpoint` is host:port; with a scheme in front of it, the scheme decides instead of `secure`.

        `journal` is a folder of the store's own, created when it is needed, that outlives a restart.
        Files larger than `part_bytes` are put in parts of that size, by `multipart`.
        Raises ValueError for an endpoint, bucket or region whose name can't be.
        """
        self._bucket = Bucket(
            endpoint=endpoint,
            name=bucket,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region=region,
            max_connections=READ_THREADS + WRITE_THREADS + multipart.THREADS,
        )
        self._throttle = Throttle(PAUSE_S)
        self.multipart = MultipartUploader(self._bucket, PendingUploads(journal), self._throttle, part_bytes)
        self._reads = Threads("store-read", READ_THREADS)
        self._writes = Threads("store-write", WRITE_THREADS)

    async def start(self) -> None:
        await self._reads.run_stoppable(lambda _stop: self._bucket.make())

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        checked_key(key)
        headers = {METADATA_PREFIX + name: value for name, value in checked_metadata(metadata).items()}
        headers["Content-Type"] = media_type
        large = await self._writes.run_stoppable(partial(self._put, key, path, headers), discard=_close)
        if large is not None:
            try:
                await self.multipart.put(key, large, headers)
            finally:
                os.close(large)

    def _put(self, key: str, path: Path, headers: dict[str, str], stop: Stop) -> int | None:
        """Put the file. One that is larger than a part is only opened, and its descriptor returned."""
        with ExitStack() as opened:
            descriptor = os.open(path, os.O_RDONLY)
            opened.callback(os.close, descriptor)
            size = os.fstat(descriptor).st_size
            if size > self.multipart.part_bytes:
                opened.pop_all()
                return descriptor
            with self._throttle.small_transfer():
                self._bucket.put(key, FileSlice(descriptor, 0, size, stop), headers)
        return None

    async def put_range(self, key: str, path: Path, start: int, length: int, *, media_type: str) -> None:
        check_range(start, length)
        send = partial(self._put_range, checked_key(key), path, start, length, {"Content-Type": media_type})
        await self._writes.run_stoppable(send)

    def _put_range(  # noqa: PLR0917 - which part of what
        self, key: str, path: Path, start: int, length: int, headers: dict[str, str], stop: Stop
    ) -> None:
        with reading(path) as descriptor:
            self._bucket.put(key, FileSlice(descriptor, start, length, stop, self._throttle), headers)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        await self._writes.run_stoppable(lambda _stop: self._bucket.put(checked_key(key), data, headers))

    async def fetch(self, key: str, to: Path) -> None:
        await self._reads.run_stoppable(partial(self._fetch, checked_key(key), to))

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        check_range(start, length)
        response = await self._reads.run_stoppable(
            lambda _stop: self._bucket.get(checked_key(key), start, length), discard=Response.close
        )
        return ObjectReader(response, response.size, self._reads)

    async def stat(self, key: str) -> ObjectInfo:
        return await self._reads.run_stoppable(lambda _stop: self._bucket.stat(checked_key(key)))

    async def delete(self, key: str) -> None:
        await self._writes.run_stoppable(lambda _stop: self._delete(checked_key(key)))

    def _delete(self, key: str) -> None:
        self.multipart.drop(key)
        self._bucket.delete(key)

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        return self._reads.pages(self._bucket.entries(prefix, after))

    async def check(self) -> None:
        await self._reads.run_stoppable(lambda _stop: self._bucket.check())

    async def close(self) -> None:
        await self._reads.close()
        await self._writes.close()
        await self.multipart.close()
        self._bucket.close()

    def _fetch(self, key: str, to: Path, stop: Stop) -> None:
        with closing(self._bucket.get(key)) as response, files.appearing(to, to.parent) as temporary:
            left = response.size
            with writing(temporary, exclusive=True) as file:
                while left and (chunk := response.read(min(left, CHUNK_BYTES))):
                    stop.check()
                    file.write(chunk)
                    left -= len(chunk)
            if left:
                raise StoreUnavailable(
                    f"{self._bucket.where} closed the connection {left} bytes before the end of {key}."
                )


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
