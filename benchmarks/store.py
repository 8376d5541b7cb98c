"""The MinIO that benchmarks run beside ours: the settings that put originals into it, and the direct way into it."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from minio import Minio

from benchmarks.lines import Lines, Picture
from tests.support.store_servers import REGION, Server

BUCKET = "direct"
PART_BYTES = 64 << 20  # as ours sends giants, and as many of them at a time
AT_ONCE = 2


def on(minio: Server) -> dict[str, str]:
    """The settings of a server that keeps its originals there."""
    return {
        "STORE_KIND": "minio",
        "STORE_ENDPOINT": minio.endpoint,
        "STORE_ACCESS_KEY": minio.access_key,
        "STORE_SECRET_KEY": minio.secret_key,
        "STORE_SECURE": "false",
    }


class Direct:
    """PUTs by presigned addresses, so that the store does all the work there is. It signs before anything is timed."""

    def __init__(self, minio: Server) -> None:
        self._client = Minio(minio.endpoint, minio.access_key, minio.secret_key, secure=False, region=REGION)
        self._client.make_bucket(BUCKET)
        self._lines = Lines(f"http://{minio.endpoint}")

    def address(self, method: str, key: str, **query: str) -> str:
        """Path and query of a request that needs no further signature."""
        url = urlsplit(self._client.get_presigned_url(method, BUCKET, key, extra_query_params=dict(query)))
        return f"{url.path}?{url.query}"

    def put(self, address: str, picture: Picture) -> None:
        """By one request."""
        self._lines.ask("PUT", address, picture).good()

    def put_in_parts(self, key: str, picture: Picture) -> None:
        """By a multipart upload, as ours sends giants."""
        begun = self._lines.ask("POST", self.address("POST", key, uploads="")).good().body
        upload = begun.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()
        parts = picture.cut(PART_BYTES)
        addresses = [self.address("PUT", key, partNumber=str(n), uploadId=upload) for n in range(1, len(parts) + 1)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tags = list(pool.map(self._put_part, addresses, parts))
        listed = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1)
        )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        self._lines.ask("POST", self.address("POST", key, uploadId=upload), document).good()

    def _put_part(self, address: str, part: Picture) -> str:
        return self._lines.ask("PUT", address, part).good().headers["ETag"]

    def remove(self, key: str) -> None:
        self._client.remove_object(BUCKET, key)
