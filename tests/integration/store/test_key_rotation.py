"""New keys for the store under load: the real MinIO, the program of the playbook, restarts on a socket that stays."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from minio import Minio
from minio.error import S3Error

from tests.support.programs import ROOT
from tests.support.servers import ACCESS_KEY, SECRET_KEY, Server, minio_server
from tests.support.service_manager import supervised
from tests.support.uploaders import Uploaders, broken_promises
from tests.support.waiting import until

FILES = ROOT / "ansible" / "roles" / "minio" / "files"


class Store:
    """A MinIO with root's key in a folder, and the image host's in another, as the role leaves them."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.root, self.keys = folder / "root", folder / "keys"
        for path in (self.root, self.keys):
            path.mkdir(parents=True)
        (self.root / "root_user").write_text(ACCESS_KEY)
        (self.root / "root_password").write_text(SECRET_KEY)

    def run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        where = [f"--endpoint={self.server.endpoint}", "--bucket=images", f"--root={self.root}", f"--keys={self.keys}"]
        command = [sys.executable, str(FILES / program), *arguments, *where]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    def pair(self) -> tuple[str, str]:
        return (self.keys / "store_access_key").read_text(), (self.keys / "store_secret_key").read_text()

    def takes(self, pair: tuple[str, str]) -> bool:
        try:
            return Minio(self.server.endpoint, *pair, secure=False).bucket_exists("images")
        except S3Error:
            return False

    def environment(self) -> dict[str, str]:
        """The keys come as systemd's credentials do; nothing else names them."""
        return {
            "APPLIANCE_STORE_KIND": "minio",
            "APPLIANCE_STORE_ENDPOINT": self.server.endpoint,
            "APPLIANCE_STORE_SECURE": "false",
            "CREDENTIALS_DIRECTORY": str(self.keys),
        }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(minio_server(tmp_path / "minio"), tmp_path)


async def test_no_request_fails_while_the_key_changes_and_the_old_one_is_refused_after(
    store: Store, tmp_path: Path
) -> None:
    with store.server:
        assert store.run("provision.py").returncode == 0
        old = store.pair()
        async with (
            supervised(tmp_path / "data", "http", **store.environment()) as served,
            aiohttp.ClientSession() as session,
        ):
            uploaders = Uploaders(served.url, seed=11)
            async with uploaders.at_work(2):
                await until(lambda: len(uploaders.promises) > 3, "some load")
                begun = store.run("rotate.py", "begin")
                assert begun.returncode == 0, begun.stderr
                new = store.pair()
                assert new != old
                assert store.takes(new)
                assert store.takes(old)  # the server has it still

                assert await served.stop() == 0
                await served.start()
                finished = store.run("rotate.py", "finish")
                assert finished.stdout == f"finish: {old[0]}\n", finished.stderr
                assert not store.takes(old)
                enough = len(uploaders.promises) + 5
                await until(lambda: len(uploaders.promises) > enough, "it goes on with the new key")
            assert uploaders.faults == []
            assert "Everything is in the store." in served.command("drain").stdout
            assert await broken_promises(session, served.url, uploaders.promises) == []
            assert '"store": "ok"' in served.command("status").stdout
        assert sorted(path.name for path in store.root.iterdir()) == ["root_password", "root_user"]


async def test_what_was_begun_can_be_undone_or_taken_up(store: Store) -> None:
    with store.server:
        store.run("provision.py")
        old = store.pair()
        assert "was a rotation begun?" in store.run("rotate.py", "finish").stderr
        store.run("rotate.py", "begin")
        new = store.pair()
        assert store.run("rotate.py", "begin").stdout == f"begin: {new[0]}\n"
        assert store.pair() == new
        assert store.run("rotate.py", "undo").stdout == f"undo: {old[0]}\n"
        assert store.pair() == old
        assert store.takes(old)
        assert not store.takes(new)


async def test_the_new_key_can_do_no_more_than_keep_objects(store: Store) -> None:
    with store.server:
        store.run("provision.py")
        store.run("rotate.py", "begin")
        narrow = Minio(store.server.endpoint, *store.pair(), secure=False)
        assert narrow.bucket_exists("images")
        with pytest.raises(S3Error, match="AccessDenied"):
            narrow.make_bucket("another")
