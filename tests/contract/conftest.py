"""The stores that keep one contract. Servers live as long as the session; each test has its own keys."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.objectstore import DirectoryStore, ObjectStore
from tests.support.other_stores import seaweedfs_server, versitygw_server
from tests.support.servers import Server, minio_server, rclone_server
from tests.support.stores import store_on

LONG = pytest.mark.long
KINDS = ("directory", "minio", "rclone", pytest.param("versitygw", marks=LONG), pytest.param("seaweedfs", marks=LONG))
S3_KINDS = KINDS[1:]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with rclone_server(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with versitygw_server(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """Each of the stores in turn, started."""
    made: ObjectStore
    if request.param == "directory":
        made = DirectoryStore(tmp_path / "store")
    else:
        made = store_on(request.getfixturevalue(request.param))
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def prefix() -> str:
    """A prefix that no other test uses, with its slash."""
    return f"originals/{next(_numbers):04d}/"


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A small local file to put."""
    path = tmp_path / "original"
    path.write_bytes(bytes(range(256)) * 40)
    return path
