"""Run on the machine: the key that the server has opens its bucket and nothing else."""

from collections.abc import Callable
from pathlib import Path

from minio import Minio
from minio.error import S3Error

KEYS = Path("/etc/appliance/credentials")
ACCESS, SECRET = ((KEYS / f"store_{kind}_key").read_text() for kind in ("access", "secret"))
store = Minio("127.0.0.1:9000", ACCESS, SECRET, secure=False)


def is_refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except S3Error as error:
        return error.code == "AccessDenied"
    return False


assert store.bucket_exists("images")
assert {bucket.name for bucket in store.list_buckets()} <= {"images"}
assert is_refused(lambda: store.make_bucket("another"))
assert is_refused(lambda: store.remove_bucket("images"))
assert is_refused(lambda: store.set_bucket_policy("images", "{}"))
