"""Gives the image host a bucket, and a key that can only use this bucket.

It runs in the image host's own Python, which has the SDK, and prints `changed` if it changed something. What exists
and works is left alone; a key that the store doesn't know (it is a new store) is replaced.
"""

import argparse
import json
import os
import secrets
import sys
import time
from pathlib import Path

from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error
from minio.minioadmin import MinioAdmin
from urllib3.exceptions import HTTPError

TRIES = 30
NAMES = ("store_access_key", "store_secret_key")


def policy(bucket: str) -> dict[str, object]:
    """The policy of the key: everything that the image host does with its store, and no more."""
    whole = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    objects = [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": whole, "Resource": [f"arn:aws:s3:::{bucket}"]},
            {"Effect": "Allow", "Action": objects, "Resource": [f"arn:aws:s3:::{bucket}/*"]},
        ],
    }


def provision(endpoint: str, bucket: str, root: tuple[str, str], keys: Path) -> bool:
    """Create bucket, policy and key where they are missing. True if something was changed."""
    changed = False
    client = Minio(endpoint, *root, secure=False)
    admin = MinioAdmin(endpoint=endpoint, credentials=StaticProvider(*root), secure=False)
    if not client.bucket_exists(bucket):
        client.make_bucket(bucket)
        changed = True
    name = f"appliance-{bucket}"
    if not has_policy(admin, name, policy(bucket)):
        admin.policy_add(name, policy=policy(bucket))
        changed = True
    if not works(endpoint, bucket, keys):
        access, secret = f"appliance-{secrets.token_hex(6)}", secrets.token_urlsafe(30)
        admin.user_add(access, secret)
        admin.policy_set(name, user=access)
        for file, value in zip(NAMES, (access, secret), strict=True):
            write(keys / file, value)
        changed = True
    return changed


def has_policy(admin: MinioAdmin, name: str, wanted: dict[str, object]) -> bool:
    """Whether the store has the same policy; the order of its lists doesn't matter."""
    try:
        found = json.loads(admin.policy_info(name))
    except MinioAdminException:
        return False
    return in_order(found) == in_order(wanted)


def in_order(value: object) -> object:
    """A copy of the value with sorted lists."""
    if isinstance(value, dict):
        return {key: in_order(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((in_order(inner) for inner in value), key=str)
    return value


def works(endpoint: str, bucket: str, keys: Path) -> bool:
    """Whether the image host's key opens its bucket."""
    try:
        pair = [(keys / name).read_text().strip() for name in NAMES]
        return Minio(endpoint, *pair, secure=False).bucket_exists(bucket)
    except (FileNotFoundError, S3Error):
        return False


def write(path: Path, text: str) -> None:
    """Write a file that only root can read, completely or not at all."""
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    new.rename(path)


def main() -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--root", type=Path, required=True, help="the folder of root_user and root_password")
    parser.add_argument("--keys", type=Path, required=True, help="the folder for the image host's key")
    said = parser.parse_args()
    root = ((said.root / "root_user").read_text().strip(), (said.root / "root_password").read_text().strip())
    for tries_left in reversed(range(TRIES)):  # after a start it may refuse for a while
        try:
            print("changed" if provision(said.endpoint, said.bucket, root, said.keys) else "unchanged")
            return 0
        except (MinioException, HTTPError, OSError) as fault:
            if not tries_left:
                print(f"The store at {said.endpoint} can't be set up: {fault}", file=sys.stderr)
        time.sleep(1)
    return 1


if __name__ == "__main__":
    sys.exit(main())
