"""Run on the machine: reads every original that the store lists, and compares it with its own digest."""

import hashlib
from pathlib import Path

from minio import Minio

KEYS = Path("/etc/appliance/credentials")
ACCESS, SECRET = ((KEYS / f"store_{kind}_key").read_text() for kind in ("access", "secret"))
store = Minio("127.0.0.1:9000", ACCESS, SECRET, secure=False)

count = 0
for found in store.list_objects("images", prefix="originals/", recursive=True):
    reply = store.get_object("images", str(found.object_name))
    digest = hashlib.sha256(reply.data).hexdigest()
    reply.close()
    reply.release_conn()
    assert digest == reply.headers["x-amz-meta-sha256"], found.object_name
    count += 1
assert count > 0
print(count)
