"""Giants reach the disk while they are received, so that little is left to sync at their end."""

import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.errors import DiskFull
from appliance.spool import Checksum, Digest, Spool
from appliance.spool.transfers import BUFFER_BYTES

PLENTY = 1 << 40
SLUG = "00000000000000001"
SYNC_BYTES = 4 * BUFFER_BYTES


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0, sync_bytes=SYNC_BYTES)
    await spool.start()
    yield spool
    await spool.close()


class Disk:
    """Counts what was written when each sync came, and can lose bytes."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced: list[int] = []
        self.loses_at: int | None = None
        real = os.fdatasync

        def fdatasync(descriptor: int) -> None:
            if len(self.synced) == self.loses_at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(descriptor)
            self.synced.append(os.fstat(descriptor).st_size)

        patch.setattr(os, "fdatasync", fdatasync)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def blocks(data: bytes) -> AsyncIterator[bytes]:
    async def given() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]

    return given()


async def append(spool: Spool, data: bytes, digest: Digest, **more: Any) -> None:
    await spool.uploads.append(
        "an-upload", blocks(data), announced_bytes=len(data), left_bytes=PLENTY, digest=digest, **more
    )


async def test_no_more_than_two_syncs_worth_of_a_file_waits_for_the_disk(spool: Spool, disk: Disk) -> None:
    data = os.urandom(6 * SYNC_BYTES)
    incoming = await spool.receive(SLUG, blocks(data), announced_bytes=None, max_bytes=PLENTY)
    assert len(disk.synced) == 6
    for place, (before, after) in enumerate(zip([0, *disk.synced], disk.synced, strict=False)):
        assert after - before <= 2 * SYNC_BYTES + 2 * BUFFER_BYTES, f"sync {place} came late"
    assert incoming.sha256 == hashlib.sha256(data).hexdigest()


async def test_a_small_file_is_synced_once_at_its_end(spool: Spool, disk: Disk) -> None:
    await spool.receive(SLUG, blocks(bytes(SYNC_BYTES // 2)), announced_bytes=None, max_bytes=PLENTY)
    assert disk.synced == []


async def test_an_upload_in_small_pieces_is_synced_on_its_way_too(spool: Spool, disk: Disk) -> None:
    digest, data = Digest(), os.urandom(3 * SYNC_BYTES)
    for start in range(0, len(data), BUFFER_BYTES):
        await append(spool, data[start : start + BUFFER_BYTES], digest)
    assert len(disk.synced) == 3
    assert digest.sha256() == hashlib.sha256(data).hexdigest()


async def test_a_disk_that_loses_bytes_costs_an_upload_those_bytes_and_not_its_truth(spool: Spool, disk: Disk) -> None:
    digest, data = Digest(), os.urandom(5 * SYNC_BYTES)
    disk.loses_at = 2
    with pytest.raises(DiskFull, match="lost data"):
        await append(spool, data, digest)
    kept = spool.uploads.offset("an-upload")
    assert 2 * SYNC_BYTES <= kept < 3 * SYNC_BYTES, "what was synced before is kept, and no more"
    disk.loses_at = None
    other = os.urandom(len(data) - kept)
    await append(spool, other, digest)
    await spool.uploads.catch_up("an-upload", digest)
    assert digest.sha256() == hashlib.sha256(data[:kept] + other).hexdigest()


async def test_a_loss_under_a_checksum_never_makes_the_file_longer(spool: Spool, disk: Disk) -> None:
    digest, first = Digest(), os.urandom(SYNC_BYTES + 5)
    await append(spool, first, digest)
    disk.loses_at = 1
    with pytest.raises(DiskFull):
        await append(spool, bytes(SYNC_BYTES), digest, checksums=[Checksum("md5", b"16 bytes of MD5.")])
    kept = spool.uploads.path("an-upload").read_bytes()
    assert kept == first[: len(kept)]
    assert spool.uploads.offset("an-upload") == len(kept) >= SYNC_BYTES


async def test_a_disk_that_loses_bytes_refuses_a_plain_upload(spool: Spool, disk: Disk, tmp_path: Path) -> None:
    disk.loses_at = 1
    with pytest.raises(DiskFull, match="lost data"):
        await spool.receive(SLUG, blocks(bytes(5 * SYNC_BYTES)), announced_bytes=None, max_bytes=PLENTY)
    assert list((tmp_path / "incoming").iterdir()) == []
    assert spool.room.promised_bytes == 0


async def test_parts_that_are_put_together_are_synced_on_the_way(spool: Spool, disk: Disk) -> None:
    for name in ("one", "two"):
        spool.uploads.path(name).write_bytes(os.urandom(2 * SYNC_BYTES))
    await spool.uploads.concatenate("whole", ["one", "two"], 4 * SYNC_BYTES)
    assert disk.synced == [SYNC_BYTES, 2 * SYNC_BYTES, 3 * SYNC_BYTES, 4 * SYNC_BYTES]
