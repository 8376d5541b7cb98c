"""MinIO: the settings that make a server store originals in it, and direct PUTs to compare with."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from minio import Minio

from benchmarks.load.kept_connections import KeptConnections, Picture
from tests.support.servers import REGION, Server

BUCKET = "direct"
PART_BYTES = 64 << 20  # the size and number of parallel parts with which this host sends giants
AT_ONCE = 2


def store_settings(minio: Server) -> dict[str, str]:
    """Settings of a server that stores its originals in this MinIO."""
    return {
        "STORE_KIND": "minio",
        "STORE_ENDPOINT": minio.endpoint,
        "STORE_ACCESS_KEY": minio.access_key,
        "STORE_SECRET_KEY": minio.secret_key,
        "STORE_SECURE": "false",
    }


class Direct:
    """PUTs to presigned addresses, without a server in between. Addresses are signed before anything is timed."""

    def __init__(self, minio: Server) -> None:
        self._client = Minio(minio.endpoint, minio.access_key, minio.secret_key, secure=False, region=REGION)
        self._client.make_bucket(BUCKET)
        self._connections = KeptConnections(f"http://{minio.endpoint}")

    def address(self, method: str, key: str, **query: str) -> str:
        """Path and query of a request that needs no further signature."""
        url = urlsplit(self._client.get_presigned_url(method, BUCKET, key, extra_query_params=dict(query)))
        return f"{url.path}?{url.query}"

    def put(self, address: str, picture: Picture) -> None:
        """Store it by one request."""
        self._connections.ask("PUT", address, picture).good()

    def put_in_parts(self, key: str, picture: Picture) -> None:
        """Store it by a multipart upload, as this host sends giants."""
        begun = self._connections.ask("POST", self.address("POST", key, uploads="")).good().body
        upload = begun.partition(b"<UploadId>")[2].partition(b"</UploadId>")[0].decode()
        parts = picture.cut(PART_BYTES)
        addresses = [self.address("PUT", key, partNumber=str(n), uploadId=upload) for n in range(1, len(parts) + 1)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tags = list(pool.map(self._put_part, addresses, parts))
        listed = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(tags, 1)
        )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        self._connections.ask("POST", self.address("POST", key, uploadId=upload), document).good()

    def _put_part(self, address: str, part: Picture) -> str:
        return self._connections.ask("PUT", address, part).good().headers["ETag"]

    def remove(self, key: str) -> None:
        self._client.remove_object(BUCKET, key)
