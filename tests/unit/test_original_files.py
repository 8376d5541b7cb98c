"""The files of originals: each is opened for its own bytes alone, and hashed once at most."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from appliance.spool import ATTRIBUTE, Spool, kept_metadata
from appliance.spool.working_copies import WorkingCopies
from tests.support.spool import received, slug

OLD, NEW = hashlib.sha256(b"old").hexdigest(), hashlib.sha256(b"new").hexdigest()


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    await spool.start()
    yield spool
    await spool.close()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the files that were hashed."""
    found: list[str] = []
    real = WorkingCopies.sha256

    async def counted(self: WorkingCopies, original: BinaryIO) -> str:
        found.append(await real(self, original))
        return found[-1]

    monkeypatch.setattr(WorkingCopies, "sha256", counted)
    return found


@pytest.fixture
def no_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)


async def read(spool: Spool, sha256: str | None) -> bytes | None:
    file = await spool.originals.open(slug(1), sha256)
    if file is None:
        return None
    with file:
        return file.read()


async def landed(spool: Spool, data: bytes, **metadata: str) -> None:
    await spool.land(await received(spool, slug(1), data), metadata)


async def test_what_landed_is_known_by_its_metadata(spool: Spool, hashed: list[str]) -> None:
    await landed(spool, b"old", sha256=OLD)
    for _ in range(2):
        assert (await read(spool, OLD), await read(spool, NEW), await read(spool, None)) == (b"old", None, b"old")
        await spool.release(slug(1))
    assert hashed == []


async def test_what_landed_is_opened_next_to_an_older_copy(spool: Spool) -> None:
    await landed(spool, b"old", sha256=OLD)
    await spool.release(slug(1))
    await landed(spool, b"new", sha256=NEW)
    assert (await read(spool, OLD), await read(spool, NEW)) == (b"old", b"new")


async def test_a_copy_of_an_older_release_is_hashed_once(spool: Spool, hashed: list[str]) -> None:
    spool.copy_path(slug(1)).write_bytes(b"old")
    for _ in range(3):
        assert (await read(spool, OLD), await read(spool, NEW)) == (b"old", None)
    assert hashed == [OLD]
    assert kept_metadata(spool.copy_path(slug(1))) == {"sha256": OLD}


@pytest.mark.usefixtures("no_attributes")
async def test_without_attributes_a_copy_is_hashed_once_until_another_takes_its_place(
    spool: Spool, hashed: list[str]
) -> None:
    await landed(spool, b"old", sha256=OLD)
    await spool.release(slug(1))
    for _ in range(3):
        assert (await read(spool, OLD), await read(spool, NEW)) == (b"old", None)
    await spool.drop_copy(slug(1))
    await landed(spool, b"new", sha256=NEW)
    assert (await read(spool, OLD), await read(spool, NEW)) == (None, b"new")
    assert hashed == [OLD, NEW]


@pytest.mark.usefixtures("no_attributes")
async def test_without_attributes_what_was_fetched_is_remembered(spool: Spool, hashed: list[str]) -> None:
    spool.copy_path(slug(1)).write_bytes(b"new")
    spool.originals.note_copy(slug(1), NEW)
    assert (await read(spool, OLD), await read(spool, NEW)) == (None, b"new")
    assert hashed == []


async def test_what_landed_says_itself_which_bytes_it_has(spool: Spool) -> None:
    await landed(spool, b"old", sha256=OLD)
    await spool.release(slug(1))
    spool.originals.note_copy(slug(1), NEW)
    assert (await read(spool, OLD), await read(spool, NEW)) == (b"old", None)


async def test_a_copy_that_the_disk_cannot_read_is_not_here(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> str:
        raise OSError("Input/output error")

    monkeypatch.setattr(WorkingCopies, "sha256", fail)
    spool.copy_path(slug(1)).write_bytes(b"old")
    assert await read(spool, OLD) is None


@pytest.mark.parametrize("is_marked", [True, False], ids=["known", "unknown"])
async def test_a_copy_goes_unless_it_is_known_to_be_the_right_one(spool: Spool, is_marked: bool) -> None:
    await landed(spool, b"old", sha256=OLD)
    await spool.release(slug(1))
    await spool.originals.drop_other_copy(slug(1), OLD)
    assert await read(spool, OLD) == b"old"
    if not is_marked:
        os.removexattr(spool.copy_path(slug(1)), ATTRIBUTE)
    await spool.originals.drop_other_copy(slug(1), NEW)
    await spool.originals.drop_other_copy(slug(1), NEW)
    assert await read(spool, None) is None
