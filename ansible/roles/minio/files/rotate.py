"""Gives the image host a second key for its store, so that requests never fail while the key changes.

`begin` makes the new key and writes it for the image host, which reads it when it restarts. `finish` removes the
rights of the old key, `undo` puts it back. Each may be run again. Meanwhile the old pair is in root's folder.
"""

import argparse
import json
import secrets
import sys
from pathlib import Path

from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException
from minio.minioadmin import MinioAdmin
from provision import NAMES, policy, write
from urllib3.exceptions import HTTPError

BEFORE = "before_"


class Keys:
    """The key that the image host reads, the one before it, and their rights in the store."""

    def __init__(self, endpoint: str, bucket: str, root: Path, keys: Path) -> None:
        pair = ((root / "root_user").read_text().strip(), (root / "root_password").read_text().strip())
        self._admin = MinioAdmin(endpoint=endpoint, credentials=StaticProvider(*pair), secure=False)
        self._endpoint, self._bucket, self._root, self._keys = endpoint, bucket, root, keys

    def begin(self) -> str:
        """Make the new key, unless an unfinished rotation already has. Returns its name."""
        if (self._root / f"{BEFORE}{NAMES[1]}").exists():
            return self._read(self._keys / NAMES[0])
        access, secret = f"appliance-{secrets.token_hex(6)}", secrets.token_urlsafe(30)
        name = f"appliance-{self._bucket}"
        self._admin.policy_add(name, policy=policy(self._bucket))
        self._admin.user_add(access, secret)
        self._admin.policy_set(name, user=access)
        Minio(self._endpoint, access, secret, secure=False).bucket_exists(self._bucket)
        for file in NAMES:
            write(self._root / f"{BEFORE}{file}", self._read(self._keys / file))
        for file, value in zip(NAMES, (access, secret), strict=True):
            write(self._keys / file, value)
        return access

    def finish(self) -> str:
        """Remove the old key from the store. Returns its name."""
        old = self._read(self._root / f"{BEFORE}{NAMES[0]}")
        self._remove(old)
        self._forget()
        return old

    def undo(self) -> str:
        """Put the old key back. Returns its name."""
        new = self._read(self._keys / NAMES[0])
        for file in NAMES:
            write(self._keys / file, self._read(self._root / f"{BEFORE}{file}"))
        back = self._read(self._keys / NAMES[0])
        if new != back:
            self._remove(new)
        self._forget()
        return back

    def _remove(self, access: str) -> None:
        if access in json.loads(self._admin.user_list()):
            self._admin.user_remove(access)

    def _forget(self) -> None:
        for file in reversed(NAMES):
            (self._root / f"{BEFORE}{file}").unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text().strip()


def main() -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("begin", "finish", "undo"))
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--root", type=Path, required=True, help="the folder of root_user and root_password")
    parser.add_argument("--keys", type=Path, required=True, help="the folder of the image host's key")
    said = parser.parse_args()
    try:
        step = getattr(Keys(said.endpoint, said.bucket, said.root, said.keys), said.step)
        print(f"{said.step}: {step()}")
    except FileNotFoundError as missing:
        print(f"{missing.filename} is missing; was a rotation begun?", file=sys.stderr)
        return 1
    except (MinioAdminException, MinioException, HTTPError, OSError) as fault:
        print(f"The store at {said.endpoint} refused: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
